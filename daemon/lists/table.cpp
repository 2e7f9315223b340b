// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/table.hpp"

#include <cstring>

namespace schultor::lists {
namespace {

constexpr std::size_t most_labels = 127;
constexpr std::size_t longest_name = 253;
/// Bounds that keep all sums of sizes within 64 bits.
constexpr std::uint64_t most_buckets = std::uint64_t{1} << 28U;
constexpr std::uint32_t most_networks = 1U << 24U;
constexpr std::uint32_t most_list_names = 1U << 16U;
constexpr std::uint32_t most_reach = 1U << 16U;

/// Cuts `count` records off the front of `octets`; the caller has checked that they are there, and how they lie.
template <typename Record>
std::span<const Record> take(std::span<const std::byte>& octets, std::size_t count) {
  const std::span<const Record> records(reinterpret_cast<const Record*>(octets.data()), count);
  octets = octets.subspan(count * sizeof(Record));
  return records;
}

struct Sizes {
  std::size_t head = 0;
  std::size_t body = 0;
};

/// None where a number is beyond what a table may have.
std::optional<Sizes> sizes_of(const layout::Header& header) {
  const bool fine = header.lists <= most_lists && header.sets >= 1 && header.sets <= layout::most_sets &&
                    header.list_names <= most_list_names && header.home_buckets >= 1 && header.home_buckets <= most_buckets &&
                    header.reach <= most_reach && header.networks <= most_networks;
  if (!fine) return std::nullopt;
  const auto head = sizeof(layout::Header) + header.lists * sizeof(layout::List) + layout::rounded_up(header.list_names, 8) +
                    header.sets * sizeof(layout::Set);
  return Sizes{layout::rounded_up(head, layout::page),
               (header.home_buckets + header.reach) * sizeof(layout::Bucket) + header.networks * sizeof(layout::Network)};
}

}  // namespace

base::Result<Table> Table::over(std::span<const std::byte> octets) {
  if (reinterpret_cast<std::uintptr_t>(octets.data()) % alignof(std::uint64_t) != 0) return base::fail("the table is not aligned");
  if (octets.size() < sizeof(layout::Header)) return base::fail("this is no table of lists: it is too short");
  Table table;
  auto& header = table.header_;
  std::memcpy(&header, octets.data(), sizeof header);
  if (header.magic != layout::magic)
    return base::fail("this is no table of lists: expected one that “schultorctl lists compile” wrote");
  if (header.version != layout::version)
    return base::fail("the table has version {}, expected {}: run “schultorctl lists compile”", header.version, layout::version);
  if (header.size != octets.size())
    return base::fail("the table has {} bytes, expected {}: it was cut off or altered", octets.size(), header.size);
  const auto sizes = sizes_of(header);
  if (!sizes || sizes->head + sizes->body != octets.size())
    return base::fail("the table's header contradicts its size: it was altered");
  table.head_ = octets.first(sizes->head);
  table.body_ = octets.subspan(sizes->head);
  auto rest = table.head_.subspan(sizeof header);
  table.lists_ = take<layout::List>(rest, header.lists);
  table.list_names_ = {reinterpret_cast<const char*>(rest.data()), header.list_names};
  rest = rest.subspan(layout::rounded_up(header.list_names, 8));
  table.sets_ = take<layout::Set>(rest, header.sets);
  rest = table.body_;
  table.buckets_ = take<layout::Bucket>(rest, header.home_buckets + header.reach);
  table.networks_ = take<layout::Network>(rest, header.networks);
  if (auto checked = table.check_lists(); !checked) return base::pass(std::move(checked));
  if (auto checked = table.check_sets(); !checked) return base::pass(std::move(checked));
  return table;
}

base::Result<void> Table::check_lists() const {
  std::uint64_t named = 0;
  for (const auto& list : lists_) named += list.name_size;
  if (named != header_.list_names) return base::fail("the names of the lists do not fill their place: the table was altered");
  return {};
}

base::Result<void> Table::check_sets() const {
  ListSet known;
  for (std::size_t i = 0; i < header_.lists; ++i) known.insert(i);
  for (const auto& set : sets_)
    if (!(set.self | set.below).without(known).empty())
      return base::fail("a set names a list that is not there: the table was altered");
  return {};
}

base::Result<void> Table::verify_head() const {
  auto header = header_;
  header.head = {};
  Hasher hasher;
  hasher.feed(std::as_bytes(std::span(&header, 1)));
  hasher.feed(head_.subspan(sizeof header));
  if (hasher.finish() != header_.head)
    return base::fail("the table's header is not as it was written: run “schultorctl lists compile”");
  return {};
}

base::Result<void> Table::verify_body() const {
  if (digest_of(body_) != header_.body) return base::fail("the table is not as it was written: run “schultorctl lists compile”");
  return {};
}

layout::Set Table::find(std::uint64_t hash) const {
  const auto* bucket = buckets_.data() + layout::home_of(hash, header_.home_buckets);
  const std::uint64_t tag = hash << layout::set_bits;
  for (std::uint32_t step = 0; step <= header_.reach; ++step, ++bucket) {
    std::uint64_t found = 0;
    // All eight are compared: a branch each would cost more than the comparisons.
    for (const auto slot : *bucket) found |= ((slot ^ tag) >> layout::set_bits) == 0 ? slot : 0;
    const auto set = found & (layout::most_sets - 1);
    if (set != 0) return set < sets_.size() ? sets_[set] : layout::Set{};
    const bool is_full = bucket->back() != 0;
    if (!is_full) break;
  }
  return {};
}

Hits Table::look_up(std::string_view name) const {
  Hits hits;
  if (name.empty() || name.size() > longest_name) return hits;
  std::size_t count = 0;
  // A kilobyte of zeros for each question would cost more than most lookups. NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
  std::array<std::uint64_t, most_labels> hashes;
  // The last octet goes first, so that one pass over the name gives the hash of each suffix. Their buckets are asked of the memory
  // at once and looked at afterwards.
  NameHash hash(header_.key);
  for (std::size_t i = name.size(); i > 0; --i) {
    const char c = name[i - 1];
    hash.feed(static_cast<unsigned char>(c));
    const bool label_begins = i == 1 || name[i - 2] == '.';
    if (!label_begins || count == most_labels) continue;
    const auto value = hash.hash();
    hashes[count++] = value;
    const bool may_be_there = (header_.depths[count / 64] >> (count % 64) & 1U) != 0;
    if (may_be_there) __builtin_prefetch(buckets_.data() + layout::home_of(value, header_.home_buckets));
  }
  // The shortest first, which was asked for first; longer ones overwrite what it says.
  for (std::size_t labels = 1; labels <= count; ++labels) {
    if ((header_.depths[labels / 64] >> (labels % 64) & 1U) == 0) continue;
    const auto set = find(hashes[labels - 1]);
    const auto& holding = labels == count ? set.self : set.below;
    holding.for_each([&](std::size_t list) { hits.labels[list] = static_cast<std::uint8_t>(labels); });
    hits.lists |= holding;
    // A longer entry that holds the name alone leaves to what is below it only the shorter ones.
    hits.below = labels == count ? hits.below.without(set.self) | set.below : hits.below | set.below;
  }
  return hits;
}

ListInfo Table::list(std::size_t number) const {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < number; ++i) begin += lists_[i].name_size;
  const auto& list = lists_[number];
  return {list_names_.substr(begin, list.name_size), list.names, list.networks, list.junk, list.unusable};
}

std::optional<std::size_t> Table::find_list(std::string_view name) const {
  for (std::size_t i = 0; i < lists(); ++i)
    if (list(i).name == name) return i;
  return std::nullopt;
}

std::optional<ListedNetwork> Table::network(std::size_t number) const {
  const auto& one = networks_[number];
  const bool is_ipv4 = one.family == 4;
  if ((!is_ipv4 && one.family != 6) || one.length > (is_ipv4 ? 32 : 128)) return std::nullopt;
  return ListedNetwork{{base::address_from_bytes(std::span(one.octets).first(is_ipv4 ? 4 : 16)), one.length}, one.lists};
}

}  // namespace schultor::lists
