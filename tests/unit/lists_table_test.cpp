// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/build.hpp"
#include "daemon/lists/table.hpp"
#include "tests/catch.hpp"

#include <array>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <unordered_set>
#include <vector>

using namespace schultor;
using namespace schultor::lists;

namespace {

struct Entry {
  std::size_t list;
  std::string name;
  Scope scope = Scope::both;
};

Collection collection_of(const std::vector<std::string>& lists, const std::vector<Entry>& entries) {
  Collection collection;
  for (const auto& list : lists) REQUIRE(collection.add_list(list));
  for (const auto& entry : entries) collection.add_name(entry.list, entry.name, entry.scope);
  return collection;
}

/// A table and what it lies over.
struct Made {
  Image image;
  Table table;
};

Made made(const Collection& collection, HashOfName hash = hash_of_name) {
  auto image = build(collection, hash);
  REQUIRE(image);
  auto table = Table::over(*image);
  REQUIRE(table);
  return {std::move(*image), *table};
}

/// "games:2 adult:3": the lists that hold a name, and how specific each is.
std::string asked(const Table& table, const std::string& name) {
  std::string text;
  const auto hits = table.look_up(name);
  hits.lists.for_each(
      [&](std::size_t list) { text += fmt::format("{}{}:{}", text.empty() ? "" : " ", table.list(list).name, hits.labels[list]); });
  return text;
}

}  // namespace

TEST_CASE("SipHash is SipHash") {
  // The vectors of the paper's authors (2-4) and of its reference code (1-3): key 00…0f, input 00…0e and none.
  constexpr SipKey key{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
  SipHash<2, 4> slow(key);
  for (unsigned char i = 0; i < 15; ++i) slow.feed(i);
  CHECK(slow.hash() == 0xa129ca6149be45e5U);
  CHECK(SipHash<2, 4>(key).hash() == 0x726fdb47dd0e0e31U);
  CHECK(SipHash<1, 3>(key).hash() == 0xabac0158050fc4dcU);
  // Asking on the way changes nothing.
  SipHash<2, 4> asked_often(key);
  for (unsigned char i = 0; i < 15; ++i) {
    (void)asked_often.hash();
    asked_often.feed(i);
  }
  CHECK(asked_often.hash() == slow.hash());
}

TEST_CASE("a name on a list means it and all below it, and each list says how specific it is") {
  const auto [image, table] = made(collection_of(
      {"adult", "games"}, {{1, "spiele.example"}, {0, "a.spiele.example"}, {1, "b.a.spiele.example"}, {1, "games.test"}}));
  CHECK(table.names() == 4);
  CHECK(asked(table, "spiele.example") == "games:2");
  CHECK(asked(table, "a.spiele.example") == "adult:3 games:2");
  CHECK(asked(table, "x.b.a.spiele.example") == "adult:3 games:4");
  CHECK(asked(table, "xspiele.example").empty());
  CHECK(asked(table, "example").empty());
  CHECK(asked(table, "").empty());
  CHECK(asked(table, "..").empty());
  const auto hits = table.look_up("x.b.a.spiele.example");
  CHECK(hits.most_specific(ListSet::of(0)) == 3);
  CHECK(hits.most_specific(ListSet::of(0) | ListSet::of(1)) == 4);
  CHECK(hits.most_specific(ListSet::of(2)) == 0);
  CHECK(table.find_list("games") == 1U);
  CHECK_FALSE(table.find_list("gam"));
  CHECK(table.list(1).names == 3);
}

TEST_CASE("an entry may hold a name alone, or only what lies below it") {
  const auto [image, table] = made(collection_of({"rpz"}, {{0, "self.example", Scope::self},
                                                           {0, "below.example", Scope::below},
                                                           {0, "two.example", Scope::self},
                                                           {0, "two.example", Scope::below},
                                                           {0, "zip", Scope::below}}));
  CHECK(asked(table, "self.example") == "rpz:2");
  CHECK(asked(table, "a.self.example").empty());
  CHECK(asked(table, "below.example").empty());
  CHECK(asked(table, "a.b.below.example") == "rpz:2");
  CHECK(asked(table, "two.example") == "rpz:2");
  CHECK(asked(table, "a.two.example") == "rpz:2");
  CHECK(asked(table, "a.zip") == "rpz:1");
  CHECK(asked(table, "zip").empty());
  CHECK(table.names() == 4);
}

TEST_CASE("names as long and as deep as DNS allows") {
  std::string deep;
  for (int i = 0; i < 126; ++i) deep += "a.";
  deep += "b";
  const std::string longest =
      std::string(63, 'x') + '.' + std::string(63, 'y') + '.' + std::string(63, 'z') + '.' + std::string(61, 'w');
  const auto [image, table] = made(collection_of({"all"}, {{0, deep}, {0, longest}, {0, "a.b"}}));
  CHECK(asked(table, deep) == "all:127");
  CHECK(asked(table, longest) == "all:4");
  CHECK(asked(table, deep.substr(2)) == "all:2");
  CHECK(table.look_up("a." + deep).lists.empty());
}

TEST_CASE("networks are kept with their lists, each once and in order") {
  auto collection = collection_of({"malware", "vpn"}, {});
  for (const auto& [list, text] :
       {std::pair{1U, "2001:db8::/32"}, {0U, "198.51.100.0/24"}, {1U, "198.51.100.0/24"}, {0U, "192.0.2.7"}, {0U, "192.0.2.7"}})
    collection.add_network(list, base::parse_prefix(text).value());
  const auto [image, table] = made(collection);
  std::vector<std::string> all;
  for (std::size_t i = 0; i < table.networks(); ++i)
    all.push_back(fmt::format("{} {}", base::to_string(table.network(i)->prefix), table.network(i)->lists.words()[0]));
  CHECK(all == std::vector<std::string>{"192.0.2.7/32 1", "198.51.100.0/24 3", "2001:db8::/32 2"});
  CHECK(table.list(0).networks == 2);
}

TEST_CASE("another name of a list is on all its entries") {
  Collection collection;
  REQUIRE(collection.add_list("ads", 1));
  REQUIRE(collection.add_list("publicite"));
  collection.add_name(1, "a.example", Scope::both);
  collection.count(1, LeftOut::junk);
  const auto [image, table] = made(collection);
  CHECK(asked(table, "a.example") == "ads:2 publicite:2");
  CHECK(table.list(0).junk == 1);
}

TEST_CASE("the same lists give the same octets, others another key") {
  const std::vector<Entry> entries{{0, "a.example"}, {0, "b.example"}};
  const auto first = made(collection_of({"x"}, entries));
  CHECK(first.image == made(collection_of({"x"}, entries)).image);
  CHECK_FALSE(first.table.key() == made(collection_of({"x"}, {{0, "a.example"}, {0, "c.example"}})).table.key());
}

TEST_CASE("two names of the same hash are told apart by another key") {
  static SipKey first_key;
  static int keys = 0;
  first_key = {};
  keys = 0;
  const auto colliding = [](const SipKey& key, std::string_view name) {
    if (keys == 0) first_key = key;
    if (key == first_key) {
      keys = 1;
      return std::uint64_t{42};
    }
    keys = 2;
    return hash_of_name(key, name);
  };
  const auto [image, table] = made(collection_of({"x", "y"}, {{0, "a.example"}, {1, "b.example"}}), colliding);
  CHECK(keys == 2);
  CHECK(asked(table, "a.example") == "x:2");
  CHECK(asked(table, "b.example") == "y:2");
  const auto always = [](const SipKey&, std::string_view) { return std::uint64_t{42}; };
  CHECK_FALSE(build(collection_of({"x", "y"}, {{0, "a.example"}, {1, "b.example"}}), always));
  // Tags alike in neighbouring buckets of a full table: found by asking for each name.
  const auto same_tag = [](const SipKey& key, std::string_view name) {
    return key == first_key ? name.size() << 56U | 7U : hash_of_name(key, name);
  };
  std::vector<Entry> many;
  for (std::size_t i = 1; i < 60; ++i) many.push_back({i % 2, std::string(i, 'a') + ".b"});
  first_key = made(collection_of({"x", "y"}, many)).table.key();
  CHECK_FALSE(made(collection_of({"x", "y"}, many), same_tag).table.key() == first_key);
}

TEST_CASE("more lists, names or overlaps than a table holds are refused") {
  Collection lists;
  for (std::size_t i = 0; i < most_lists; ++i) REQUIRE(lists.add_list(std::to_string(i)));
  CHECK_FALSE(lists.add_list("one too many"));
  // 17 lists overlap in 131,071 ways.
  Collection overlapping;
  for (std::size_t i = 0; i < 17; ++i) REQUIRE(overlapping.add_list(std::to_string(i)));
  for (std::size_t way = 1; way <= 65'536; ++way)
    for (std::size_t i = 0; i < 17; ++i)
      if ((way >> i & 1U) != 0) overlapping.add_name(i, fmt::format("{}.example", way), Scope::both);
  const auto refused = build(overlapping);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what() == "the lists overlap in more than 65535 ways: leave out those that no profile names");
}

TEST_CASE("the last of 128 lists is told from the first") {
  Collection collection;
  for (std::size_t i = 0; i < most_lists; ++i) REQUIRE(collection.add_list(fmt::format("l{}", i)));
  for (const std::size_t list : {0U, 63U, 64U, 127U}) collection.add_name(list, fmt::format("n{}.example", list), Scope::both);
  const auto [image, table] = made(collection);
  for (const std::size_t list : {0U, 63U, 64U, 127U})
    CHECK(table.look_up(fmt::format("n{}.example", list)).lists == ListSet::of(list));
}

SCENARIO("a table that was cut off or altered is refused, or does no harm") {
  const auto good = made(collection_of({"x", "y"}, {{0, "a.example"}, {1, "b.example"}}));
  WHEN("it is cut off anywhere") {
    for (std::size_t size = 0; size < good.image.size(); size += 8)
      CHECK_FALSE(Table::over(Image(good.image.begin(), good.image.begin() + static_cast<std::ptrdiff_t>(size))));
  }
  WHEN("one octet is another") {
    std::size_t refused = 0, found = 0, unseen = 0;
    for (std::size_t at = 0; at < good.image.size(); ++at) {
      auto image = good.image;
      image[at] ^= std::byte{0x41};
      const auto table = Table::over(image);
      if (!table) ++refused;
      else if (!table->verify_head() || !table->verify_body()) ++found;
      else ++unseen;
      if (table) (void)table->look_up("x.a.example");
    }
    CHECK(unseen == 0);
    CHECK(refused > 40);
    CHECK(found > 4000);
  }
  WHEN("it is of another version") {
    auto image = good.image;
    image[16] = std::byte{9};
    CHECK(Table::over(image).error().what() == "the table has version 9, expected 1: run “schultorctl lists compile”");
  }
}

SCENARIO("the table answers as plain sets of names do") {
  std::mt19937 random(20261125);
  const auto below = [&](unsigned n) { return static_cast<std::size_t>(random() % n); };
  // Few labels, so that names lie above, below and beside one another.
  const auto name = [&] {
    std::string text = std::array{"de", "com", "example"}[below(3)];
    for (std::size_t i = below(4) + 1; i > 0; --i) text.insert(0, std::string(1, static_cast<char>('a' + below(12))) + ".");
    return text;
  };
  constexpr std::size_t lists = 70;
  std::vector<Entry> entries;
  std::array<std::map<std::string, int>, lists> sets;
  for (int i = 0; i < 30'000; ++i) {
    entries.push_back({below(lists), name(), std::array{Scope::self, Scope::below, Scope::both}[below(3)]});
    sets[entries.back().list][entries.back().name] |= static_cast<int>(entries.back().scope);
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < lists; ++i) names.push_back(std::to_string(i));
  const auto [image, table] = made(collection_of(names, entries));
  std::size_t held = 0;
  for (int i = 0; i < 3'000; ++i) {
    const auto question = name();
    const auto hits = table.look_up(question);
    for (std::size_t list = 0; list < lists; ++list) {
      int expected = 0;
      for (std::size_t from = 0; expected == 0 && from < question.size();) {
        const auto suffix = question.substr(from);
        const auto found = sets[list].find(suffix);
        const auto wanted = from == 0 ? Scope::self : Scope::below;
        if (found != sets[list].end() && (found->second & static_cast<int>(wanted)) != 0)
          expected = 1 + static_cast<int>(std::count(suffix.begin(), suffix.end(), '.'));
        const auto dot = question.find('.', from);
        from = dot == std::string::npos ? question.size() : dot + 1;
      }
      if (hits.labels[list] != expected || hits.lists.contains(list) != (expected > 0)) FAIL(question << " on list " << list);
      held += expected > 0 ? 1 : 0;
    }
  }
  CHECK(held > 2'000);
}

TEST_CASE("names of random letters are found, others are not") {
  std::mt19937_64 random(1);
  std::vector<Entry> entries;
  std::unordered_set<std::string> known;
  for (int i = 0; i < 50'000; ++i) {
    entries.push_back({0, fmt::format("{:x}.example", random() >> 40U)});
    known.insert(entries.back().name);
  }
  const auto [image, table] = made(collection_of({"all"}, entries));
  CHECK(table.names() == known.size());
  std::size_t wrong = 0;
  for (const auto& name : known) wrong += table.look_up(name).lists.empty() ? 1 : 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto name = fmt::format("{:x}.example", random() >> 40U);
    wrong += table.look_up(name).lists.empty() == known.contains(name) ? 1 : 0;
  }
  CHECK(wrong == 0);
}
