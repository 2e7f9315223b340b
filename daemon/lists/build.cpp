// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/build.hpp"

#include "daemon/lists/digest.hpp"
#include "daemon/lists/table.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace schultor::lists {
namespace {

/// How full the buckets are: at 85 % of their slots a search looks at 1.1 of them on average.
constexpr std::size_t percent_full = 85;
/// Names lie close to their homes, unless someone wants otherwise.
constexpr std::uint64_t farthest = 256;
constexpr std::uint8_t most_keys = 8;

/// A name by its hash. `what` is its entry's position at first, then the number of its set.
struct Hashed {
  std::uint64_t hash = 0;
  std::uint64_t what = 0;
};

std::span<const std::byte> octets_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

/// Distinct sets get numbers in the order in which they come; 0 is the empty one.
class Sets {
public:
  Sets() : all_(1) {}
  /// None where there are no numbers left.
  std::optional<std::uint64_t> number_of(const layout::Set& set) {
    const auto [at, fresh] = numbers_.try_emplace(set, all_.size());
    if (fresh && all_.size() == layout::most_sets) return std::nullopt;
    if (fresh) all_.push_back(set);
    return at->second;
  }
  [[nodiscard]] const std::vector<layout::Set>& all() const { return all_; }

private:
  std::vector<layout::Set> all_;
  std::map<layout::Set, std::uint64_t> numbers_;
};

/// All that goes into a file.
struct Parts {
  layout::Header header;
  std::vector<layout::List> lists;
  std::string list_names;
  std::vector<layout::Set> sets;
  std::vector<Hashed> names;  ///< by hash, each once
  std::vector<layout::Network> networks;
};

std::vector<Hashed> hashed(const Collection& collection, const SipKey& key, HashOfName hash) {
  std::vector<Hashed> names;
  names.reserve(collection.entries());
  for (std::size_t position = 0; position < collection.size();) {
    const auto entry = collection.entry(position);
    names.push_back({hash(key, entry.name), position});
    position = entry.next;
  }
  std::sort(names.begin(), names.end(), [](const Hashed& a, const Hashed& b) { return a.hash < b.hash; });
  return names;
}

enum class Outcome { good, another_key, too_many_sets };

/// Joins the entries of each name into one set, and counts them for their lists.
Outcome join(const Collection& collection, Parts& parts) {
  std::vector<ListSet> same;
  for (std::size_t i = 0; i < collection.lists().size(); ++i) same.push_back(collection.same_lists(i));
  Sets sets;
  auto& names = parts.names;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < names.size();) {
    const auto hash = names[i].hash;
    const auto name = collection.entry(names[i].what).name;
    layout::Set set;
    for (; i < names.size() && names[i].hash == hash; ++i) {
      const auto entry = collection.entry(names[i].what);
      if (entry.name != name) return Outcome::another_key;
      if (entry.scope != Scope::below) set.self |= same[entry.list];
      if (entry.scope != Scope::self) set.below |= same[entry.list];
    }
    const auto number = sets.number_of(set);
    if (!number) return Outcome::too_many_sets;
    (set.self | set.below).for_each([&](std::size_t list) { ++parts.lists[list].names; });
    const auto labels = 1 + static_cast<std::size_t>(std::count(name.begin(), name.end(), '.'));
    parts.header.depths[labels / 64] |= std::uint64_t{1} << (labels % 64);
    names[kept++] = {hash, *number};
  }
  names.resize(kept);
  parts.sets = sets.all();
  return Outcome::good;
}

/// Calls `put` with each name and the bucket that it goes to: its home, or the next one behind with a free slot.
template <typename Put>
void place(const Parts& parts, Put put) {
  std::uint64_t bucket = 0;
  std::size_t filled = 0;
  for (const auto& name : parts.names) {
    const auto home = layout::home_of(name.hash, parts.header.home_buckets);
    if (home > bucket || filled == layout::slots) {
      bucket = std::max(home, bucket + 1);
      filled = 0;
    }
    put(name, home, bucket, filled++);
  }
}

void add_networks(const Collection& collection, Parts& parts) {
  std::map<base::Prefix, ListSet> merged;
  for (const auto& network : collection.networks()) merged[network.prefix] |= collection.same_lists(network.list);
  for (const auto& [prefix, lists] : merged) {
    layout::Network record;
    record.octets = prefix.address.octets;
    record.family = static_cast<std::uint8_t>(prefix.address.family);
    record.length = prefix.length;
    record.lists = lists;
    parts.networks.push_back(record);
    lists.for_each([&](std::size_t list) { ++parts.lists[list].networks; });
  }
}

Parts parts_of(const Collection& collection) {
  Parts parts;
  for (const auto& list : collection.lists()) {
    const auto& counted = list.same_as ? collection.lists()[*list.same_as] : list;
    layout::List record;
    record.name_size = static_cast<std::uint32_t>(list.name.size());
    record.junk = counted.junk;
    record.unusable = counted.unusable;
    parts.lists.push_back(record);
    parts.list_names += list.name;
  }
  return parts;
}

template <typename Record>
std::size_t append(Image& image, std::size_t at, const std::vector<Record>& records) {
  if (!records.empty()) std::memcpy(image.data() + at, records.data(), records.size() * sizeof(Record));
  return at + records.size() * sizeof(Record);
}

/// None where names would lie too far from their homes.
std::optional<Image> image_of(Parts& parts) {
  auto& header = parts.header;
  header.magic = layout::magic;
  header.version = layout::version;
  header.lists = static_cast<std::uint32_t>(parts.lists.size());
  header.names = parts.names.size();
  header.home_buckets = 1 + parts.names.size() * 100 / (layout::slots * percent_full);
  header.sets = static_cast<std::uint32_t>(parts.sets.size());
  header.list_names = static_cast<std::uint32_t>(parts.list_names.size());
  header.networks = static_cast<std::uint32_t>(parts.networks.size());
  std::uint64_t reach = 0;
  place(parts,
        [&](const Hashed&, std::uint64_t home, std::uint64_t bucket, std::size_t) { reach = std::max(reach, bucket - home); });
  if (reach > farthest) return std::nullopt;
  header.reach = static_cast<std::uint32_t>(reach);

  const auto head = sizeof header + parts.lists.size() * sizeof(layout::List) + layout::rounded_up(parts.list_names.size(), 8) +
                    parts.sets.size() * sizeof(layout::Set);
  const auto buckets = layout::rounded_up(head, layout::page);
  const auto networks = buckets + (header.home_buckets + reach) * sizeof(layout::Bucket);
  Image image(networks + parts.networks.size() * sizeof(layout::Network));
  auto at = append(image, sizeof header, parts.lists);
  std::copy(parts.list_names.begin(), parts.list_names.end(), reinterpret_cast<char*>(image.data() + at));
  append(image, at + layout::rounded_up(parts.list_names.size(), 8), parts.sets);
  append(image, networks, parts.networks);
  place(parts, [&](const Hashed& name, std::uint64_t, std::uint64_t bucket, std::size_t slot) {
    const std::uint64_t value = name.hash << layout::set_bits | name.what;
    std::memcpy(image.data() + buckets + bucket * sizeof(layout::Bucket) + slot * sizeof value, &value, sizeof value);
  });

  header.size = image.size();
  header.body = digest_of(std::span(image).subspan(buckets));
  std::memcpy(image.data(), &header, sizeof header);
  header.head = digest_of(std::span(image).first(buckets));
  std::memcpy(image.data(), &header, sizeof header);
  return image;
}

/// Whether the table finds each name: a tag may have a double on the way from another home.
bool finds_all(const Image& image, const Parts& parts) {
  const auto table = Table::over(image);
  return table && std::all_of(parts.names.begin(), parts.names.end(),
                              [&](const Hashed& name) { return table->find(name.hash) == parts.sets[name.what]; });
}

SipKey key_of(const Digest& collection, std::uint8_t attempt) {
  Hasher hasher;
  hasher.feed(collection);
  hasher.feed(std::as_bytes(std::span(&attempt, 1)));
  const auto digest = hasher.finish();
  SipKey key;
  std::memcpy(&key, digest.data(), sizeof key);
  return key;
}

}  // namespace

base::Result<Image> build(const Collection& collection, HashOfName hash) {
  if (collection.is_full())
    return base::fail("the lists hold more than {} names or {} networks: leave out those that no profile names",
                      Collection::most_names, Collection::most_networks);
  const auto digest = digest_of(octets_of(collection.octets()));
  for (std::uint8_t attempt = 0; attempt < most_keys; ++attempt) {
    auto parts = parts_of(collection);
    parts.header.key = key_of(digest, attempt);
    parts.names = hashed(collection, parts.header.key, hash);
    const auto outcome = join(collection, parts);
    if (outcome == Outcome::too_many_sets)
      return base::fail("the lists overlap in more than {} ways: leave out those that no profile names", layout::most_sets - 1);
    if (outcome == Outcome::another_key) continue;
    add_networks(collection, parts);
    auto image = image_of(parts);
    if (image && finds_all(*image, parts)) return std::move(*image);
  }
  return base::fail("no key was found under which all names differ");
}

}  // namespace schultor::lists
