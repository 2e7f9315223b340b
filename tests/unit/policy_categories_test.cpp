// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// Names that lists close: the order of judging, and the same order written down a second time.
#include "daemon/lists/build.hpp"
#include "daemon/lists/table.hpp"
#include "daemon/policy/gate_rules.hpp"
#include "tests/catch.hpp"

#include <algorithm>
#include <random>

using namespace schultor;
using namespace schultor::policy;

namespace {

struct Entry {
  std::string list;
  std::string name;
  lists::Scope scope = lists::Scope::both;
};

/// Lists as a table, and the rules that are of it.
class Lists {
public:
  Lists(const std::vector<std::string>& names, const std::vector<Entry>& entries) : image_(made(names, entries)) {}
  [[nodiscard]] lists::Table table() const { return lists::Table::over(image_).value(); }
  [[nodiscard]] lists::Hits look_up(std::string_view name) const { return table().look_up(name); }
  void number(GateRules& rules) const {
    const auto own = table();
    number_lists(rules, [&](std::string_view name) { return own.find_list(name); });
  }

private:
  static lists::Image made(const std::vector<std::string>& names, const std::vector<Entry>& entries) {
    lists::Collection collection;
    std::map<std::string, std::size_t> numbers;
    for (const auto& name : names) numbers[name] = collection.add_list(name).value();
    for (const auto& entry : entries) collection.add_name(numbers.at(entry.list), entry.name, entry.scope);
    return lists::build(collection).value();
  }
  lists::Image image_;
};

NamePatterns patterns(const std::vector<std::string>& texts) {
  std::vector<Pattern> list;
  for (const auto& text : texts) list.push_back(*parse_pattern(text, {"city.toml", 1}));
  return NamePatterns(list);
}

Categories categories(const std::vector<std::string>& lists) {
  std::vector<Category> named;
  for (const auto& list : lists) named.push_back({list, {"city.toml", 9}});
  return Categories(std::move(named));
}

/// "refuse block games 2": the verdict, why, and the entry that decided.
std::string judged(const GateRules& rules, const Lists& lists, const std::string& name) {
  const auto judgement = judge(rules, rules.profiles.at(0), name, lists.look_up(name));
  auto text = std::string(judgement.verdict == Verdict::allow ? "allow " : "refuse ") + std::string(judgement.because);
  if (judgement.pattern != nullptr) text += " " + judgement.pattern->text;
  if (judgement.category != nullptr)
    text += fmt::format(" {}:{}", judgement.category->list, lists::entry_of(name, judgement.labels));
  return text;
}

}  // namespace

TEST_CASE("the last labels of a name are the entry that holds it") {
  CHECK(lists::entry_of("a.b.test", 2) == "b.test");
  CHECK(lists::entry_of("a.b.test", 3) == "a.b.test");
  CHECK(lists::entry_of("a.b.test", 9) == "a.b.test");
  CHECK(lists::entry_of("a.b.test", 1) == "test");
  CHECK(lists::entry_of("a.b.test", 0).empty());
  CHECK(lists::entry_of("", 1).empty());
}

TEST_CASE("an entry of a list counts as a name of its labels, beside patterns") {
  GateRules rules;
  rules.cloud = patterns({"cloud.test"});
  rules.never = patterns({"x.bad.test"});
  rules.never_lists = categories({"bad"});
  rules.profiles.resize(1);
  auto& profile = rules.profiles[0];
  profile.city_block = patterns({"*.city.test"});
  profile.city_block_lists = categories({"city"});
  profile.city_allow = patterns({"fine.city.test", "*.b.city.test"});
  profile.allow = patterns({"fine.city.test", "*.b.city.test", "own.test", "a.own.test", "*.wide.test", "bad.test", "city.test"});
  profile.block = patterns({"own.test"});
  profile.block_lists = categories({"games", "more"});
  const Lists lists({"bad", "city", "games", "more", "unused"}, {{"bad", "bad.test"},
                                                                 {"bad", "cloud.test"},
                                                                 {"city", "city.test"},
                                                                 {"city", "deep.b.city.test"},
                                                                 {"games", "a.own.test"},
                                                                 {"more", "b.a.own.test"},
                                                                 {"games", "x.wide.test"},
                                                                 {"games", "alone.test", lists::Scope::self},
                                                                 {"games", "under.test", lists::Scope::below},
                                                                 {"unused", "free.test"}});
  lists.number(rules);
  const std::vector<std::pair<std::string, std::string>> cases{
      {"cloud.test", "allow cloud cloud.test"},  // the cloud before anything else
      {"www.cloud.test", "allow cloud cloud.test"},
      {"bad.test", "refuse never bad:bad.test"},  // never before any allow
      {"y.bad.test", "refuse never bad:bad.test"},
      {"x.bad.test", "refuse never x.bad.test"},  // the more specific one is named
      {"city.test", "refuse city-block city:city.test"},
      {"fine.city.test", "allow allow fine.city.test"},  // three labels without a wildcard before three with one
      {"a.city.test", "refuse city-block *.city.test"},
      {"a.b.city.test", "allow allow *.b.city.test"},
      {"deep.b.city.test", "refuse city-block city:deep.b.city.test"},  // exact before wildcard
      {"own.test", "refuse block own.test"},                            // block wins a tie between patterns
      {"a.own.test", "refuse block games:a.own.test"},                  // and one against a list
      {"b.a.own.test", "refuse block more:b.a.own.test"},
      {"x.wide.test", "refuse block games:x.wide.test"},
      {"y.wide.test", "allow allow *.wide.test"},
      {"alone.test", "refuse block games:alone.test"},
      {"www.alone.test", "allow default"},
      {"under.test", "allow default"},
      {"www.under.test", "refuse block games:under.test"},
      {"free.test", "allow default"},  // on a list that no rule names
  };
  for (const auto& [name, wanted] : cases) {
    CAPTURE(name);
    CHECK(judged(rules, lists, name) == wanted);
  }
  // Without numbers, as without a table, lists hold nothing.
  number_lists(rules, [](std::string_view) { return std::nullopt; });
  CHECK(judged(rules, lists, "bad.test") == "allow allow bad.test");
  CHECK(judged(rules, lists, "x.bad.test") == "refuse never x.bad.test");
}

TEST_CASE("the lists that rules name come back from JSON with their numbers and the table that these are of") {
  GateRules rules;
  rules.never_lists = categories({"bad", "gone"});
  rules.profiles.resize(1);
  rules.profiles[0].name = "school";
  rules.profiles[0].block_lists = categories({"games"});
  const Lists lists({"bad", "games"}, {{"games", "game.test"}});
  lists.number(rules);
  rules.table = lists.table().identity();
  const auto back = gate_rules_from_json(to_json(rules));
  REQUIRE(back);
  CHECK(back->table == rules.table);
  CHECK(back->never_lists.named() == rules.never_lists.named());
  CHECK(back->never_lists.named()[0].number == 0U);
  CHECK_FALSE(back->never_lists.named()[1].number);
  CHECK(judged(*back, lists, "game.test") == "refuse block games:game.test");
  CHECK(named_lists(rules).size() == 3);
  CHECK(named_lists(rules, rules.profiles[0]).size() == 3);
}

namespace {

/// What the documentation says of one rule: all its entries that hold a name, the most specific of them.
struct PlainRule {
  struct Holder {
    std::vector<std::string> labels;  ///< "*" is any one
    lists::Scope scope;
  };
  std::vector<Holder> holders;

  static std::vector<std::string> labels_of(const std::string& name) {
    std::vector<std::string> labels;
    std::string label;
    for (const char c : name) {
      if (c != '.') label += c;
      else labels.push_back(std::exchange(label, {}));
    }
    labels.push_back(label);
    return labels;
  }
  /// Labels and exactness; none where nothing holds the name.
  [[nodiscard]] std::optional<std::pair<std::size_t, bool>> best(const std::string& name) const {
    const auto asked = labels_of(name);
    std::optional<std::pair<std::size_t, bool>> best;
    for (const auto& holder : holders) {
      const auto count = holder.labels.size();
      if (count > asked.size()) continue;
      if (holder.scope == (count == asked.size() ? lists::Scope::below : lists::Scope::self)) continue;
      const bool fits = std::equal(holder.labels.begin(), holder.labels.end(), asked.end() - static_cast<std::ptrdiff_t>(count),
                                   [](const std::string& own, const std::string& other) { return own == "*" || own == other; });
      const std::pair specificity(count, std::find(holder.labels.begin(), holder.labels.end(), "*") == holder.labels.end());
      if (fits && (!best || specificity > *best)) best = specificity;
    }
    return best;
  }
};

struct PlainProfile {
  bool listed = false;
  PlainRule city_block, city_allow, allow, block;
};

std::string plainly(const PlainRule& cloud, const PlainRule& never, const PlainProfile& profile, const std::string& name) {
  if (cloud.best(name)) return "allow cloud";
  if (never.best(name)) return "refuse never";
  if (const auto blocked = profile.city_block.best(name)) {
    const auto excepted = profile.city_allow.best(name);
    if (!excepted || *excepted <= *blocked) return "refuse city-block";
  }
  const auto allowed = profile.allow.best(name), blocked = profile.block.best(name);
  if (blocked && (!allowed || *blocked >= *allowed)) return "refuse block";
  if (allowed) return "allow allow";
  return profile.listed ? "refuse default" : "allow default";
}

/// Rules and lists by chance, as the gate has them and written down plainly.
class Chance {
public:
  explicit Chance(std::uint32_t seed) : random_(seed) {}
  std::size_t below(std::size_t end) { return random_() % end; }

  std::string name() {
    std::string text(1, static_cast<char>('a' + below(2)));
    for (auto more = below(4); more > 0; --more) text += {'.', static_cast<char>('a' + below(2))};
    return text;
  }
  NamePatterns some_patterns(PlainRule& plain, std::size_t most) {
    std::vector<std::string> texts;
    for (auto left = below(most + 1); left > 0; --left) {
      auto text = name();
      if (text.size() > 1 && below(3) == 0) text[0] = '*';
      plain.holders.push_back({PlainRule::labels_of(text), lists::Scope::both});
      texts.push_back(std::move(text));
    }
    return patterns(texts);
  }
  void fill_lists() {
    for (auto left = 4 + below(8); left > 0; --left)
      entries.push_back({names[below(names.size())], name(), static_cast<lists::Scope>(1 + below(3))});
  }
  Categories some_lists(PlainRule& plain) {
    std::vector<std::string> chosen;
    for (const auto& list : names) {
      if (below(3) != 0) continue;
      chosen.push_back(list);
      for (const auto& entry : entries)
        if (entry.list == list) plain.holders.push_back({PlainRule::labels_of(entry.name), entry.scope});
    }
    return categories(chosen);
  }

  std::vector<std::string> names{"l0", "l1", "l2", "l3"};
  std::vector<Entry> entries;

private:
  std::mt19937 random_;
};

/// All names of a and b, up to five labels.
std::vector<std::string> all_names() {
  std::vector<std::string> all{"a", "b"};
  for (std::size_t from = 0, to = 2, depth = 2; depth <= 5; ++depth, from = to, to = all.size())
    for (std::size_t i = from; i < to; ++i)
      for (const char c : {'a', 'b'}) all.push_back(std::string{c, '.'} + all[i]);
  return all;
}

}  // namespace

TEST_CASE("whatever the rules and lists are, names are judged in the documented order, and doors and denials agree with that") {
  const auto names = all_names();
  for (std::uint32_t seed = 0; seed < 1500; ++seed) {
    Chance chance(seed);
    chance.fill_lists();
    PlainRule cloud, never;
    GateRules rules;
    rules.cloud = chance.some_patterns(cloud, chance.below(3) == 0 ? 1 : 0);
    rules.never = chance.some_patterns(never, 1);
    if (chance.below(2) == 0) rules.never_lists = chance.some_lists(never);
    std::vector<PlainProfile> plain(3);
    for (auto& own : plain) {
      ProfileNames profile;
      profile.listed = own.listed = chance.below(2) == 0;
      profile.city_block = chance.some_patterns(own.city_block, 1);
      profile.city_block_lists = chance.some_lists(own.city_block);
      profile.city_allow = chance.some_patterns(own.city_allow, 2);
      own.allow = own.city_allow;
      auto allow = profile.city_allow.patterns();
      const auto more = chance.some_patterns(own.allow, 2).patterns();
      allow.insert(allow.end(), more.begin(), more.end());
      profile.allow = NamePatterns(std::move(allow));
      profile.block = chance.some_patterns(own.block, 2);
      profile.block_lists = chance.some_lists(own.block);
      rules.profiles.push_back(std::move(profile));
    }
    const Lists lists(chance.names, chance.entries);
    lists.number(rules);
    for (const auto& name : names) {
      const auto hits = lists.look_up(name);
      Doors wanted = 0, door = first_listed_door;
      for (std::size_t i = 0; i < plain.size(); ++i) {
        const auto judgement = judge(rules, rules.profiles[i], name, hits);
        const auto said = std::string(judgement.verdict == Verdict::allow ? "allow " : "refuse ") + std::string(judgement.because);
        if (said != plainly(cloud, never, plain[i], name)) {
          CAPTURE(seed, name, i);
          REQUIRE(said == plainly(cloud, never, plain[i], name));
        }
        if (plain[i].listed) {
          if (judgement.verdict == Verdict::allow) wanted |= door;
          door <<= 1U;
        }
        if (judgement.verdict == Verdict::allow || allowed_below(rules, rules.profiles[i], name, hits)) continue;
        for (const auto& deeper : names)
          if (deeper.ends_with("." + name) && plainly(cloud, never, plain[i], deeper).starts_with("allow")) {
            CAPTURE(seed, name, i, deeper);
            REQUIRE(allowed_below(rules, rules.profiles[i], name, hits));
          }
      }
      if (cloud.best(name)) wanted = cloud_door;
      if (doors_of(rules, name, hits) != wanted) {
        CAPTURE(seed, name);
        REQUIRE(doors_of(rules, name, hits) == wanted);
      }
    }
  }
}
