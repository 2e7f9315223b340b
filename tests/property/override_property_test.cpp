// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// Random hands on the overrides, held against a second reading: a list of what was set, in the order in which it was set, looked
// through at every minute. Of what concerns a group the newest holds; it ends by itself; lifting is for one group and for what was
// set until then. A difference is shrunk to the fewest steps that still show it. OVERRIDE_SEEDS=N tries so many seeds.
#include "daemon/policy/compile.hpp"
#include "daemon/policy/schedule.hpp"
#include "tests/catch.hpp"

#include <date/tz.h>

#include <array>
#include <cstdlib>
#include <random>
#include <set>

using namespace schultor::policy;
using std::chrono::minutes;

namespace {

// From strict to free, so that a lower index is stricter.
const std::array<std::string, 3> profiles{"exam", "school", "leisure"};
constexpr std::size_t unknown = 3;
constexpr minutes longest{8 * 60};

struct Step {
  enum class What : std::uint8_t { set, extend, clear, prune, store } what = What::set;
  std::optional<std::size_t> group;  ///< none: all
  std::size_t profile = 0;
  minutes span{0};
  minutes later{0};  ///< since the step before
};

std::string to_string(const Policy& policy, const Step& step) {
  constexpr const char* words[] = {"set", "extend", "clear", "prune", "store"};
  return fmt::format("after {} min {} {} {} {} min\n", step.later.count(), words[static_cast<std::size_t>(step.what)],
                     step.group ? policy.groups[*step.group].name : "all", profiles[step.profile], step.span.count());
}

constexpr const char* city_toml = R"(
revision = 1
[[profile]]
name = "exam"
access = "listed"
[[profile]]
name = "school"
access = "listed"
allow = ["lernen.test"]
[[profile]]
name = "leisure"
access = "open"
[[schedule]]
name = "weekdays"
windows = ["08:00-13:00"]
during = "school"
otherwise = "leisure"
)";
constexpr const char* school_toml = R"(
[override]
longest = "8h"
[[group]]
name = "3b"
schedule = "weekdays"
[[group]]
name = "byod"
schedule = "weekdays"
ownership = "byod"
[[group]]
name = "lehrkraefte"
profile = "leisure"
[[group]]
name = "gaeste"
schedule = "weekdays"
unknown = true
)";

Policy school() {
  auto loaded = load(schultor::config::Files{"timezone = \"Europe/Berlin\"\n", city_toml, school_toml, std::nullopt},
                     schultor::config::Need::hours());
  for (const auto& diagnostic : loaded.diagnostics) UNSCOPED_INFO(schultor::config::to_string(diagnostic));
  REQUIRE(loaded.policy);
  return *loaded.policy;
}

/// The second reading.
class Hands {
public:
  struct Set {
    std::optional<std::size_t> group;
    std::size_t profile;
    Seconds from, until;
    std::set<std::size_t> lifted{};  ///< the groups for which it is
  };

  bool set(const std::optional<std::size_t>& group, std::size_t profile, minutes span, Seconds now) {
    if (span > longest) return false;
    list_.push_back({group, profile, now, now + span});
    return true;
  }

  bool extend(const std::optional<std::size_t>& group, minutes span, Seconds now) {
    Set* held = group ? newest(*group, now) : nullptr;
    if (!group)
      for (auto& one : list_)
        if (!one.group && now < one.until) held = &one;
    if (held == nullptr || held->until + span - now > longest) return false;
    if (held->group == group) held->until += span;
    else list_.push_back({group, held->profile, now, held->until + span});
    return true;
  }

  void clear(const std::optional<std::size_t>& group) {
    if (!group) return list_.clear();
    std::vector<Set> left;
    for (auto& one : list_) {
      if (one.group == group) continue;
      if (!one.group) one.lifted.insert(*group);
      left.push_back(one);
    }
    list_ = left;
  }

  /// The profile that was set by hand.
  std::optional<std::size_t> held(std::size_t group, Seconds at) {
    const auto* found = newest(group, at);
    return found == nullptr ? std::nullopt : std::optional(found->profile);
  }

private:
  Set* newest(std::size_t group, Seconds at) {
    Set* found = nullptr;
    for (auto& one : list_)
      if ((!one.group || *one.group == group) && one.from <= at && at < one.until && one.lifted.count(group) == 0) found = &one;
    return found;
  }

  std::vector<Set> list_;
};

std::size_t by_clock(const Policy& policy, std::size_t group, Seconds at) {
  if (!policy.groups[group].schedule) return 2;
  const auto local = policy.zone->to_local(at);
  const auto time = local - date::floor<std::chrono::days>(local);
  return time >= minutes{8 * 60} && time < minutes{13 * 60} ? 1 : 2;
}

/// A device that nobody knows is no way out of a class that is paused: of school-owned groups what is stricter holds for it, too.
std::size_t expected(const Policy& policy, Hands& hands, std::size_t group, Seconds at) {
  auto profile = hands.held(group, at).value_or(by_clock(policy, group, at));
  if (group != unknown) return profile;
  for (std::size_t other = 0; other < policy.groups.size(); ++other)
    if (policy.groups[other].ownership == Ownership::school && other != unknown)
      if (const auto theirs = hands.held(other, at)) profile = std::min(profile, *theirs);
  return profile;
}

std::vector<Step> steps_of(unsigned seed) {
  std::mt19937 random(seed);
  const auto below = [&](int end) { return std::uniform_int_distribution<int>(0, end - 1)(random); };
  std::vector<Step> steps(static_cast<std::size_t>(1 + below(20)));
  for (auto& step : steps) {
    constexpr Step::What often[] = {Step::What::set,   Step::What::set,   Step::What::set,   Step::What::extend, Step::What::extend,
                                    Step::What::clear, Step::What::clear, Step::What::prune, Step::What::store};
    step.what = often[below(9)];
    if (below(5) > 1) step.group = static_cast<std::size_t>(below(4));
    step.profile = static_cast<std::size_t>(below(3));
    const bool long_one = step.what == Step::What::set && below(3) == 0;
    step.span = minutes{long_one ? 200 + below(300) : 1 + below(60)};
    step.later = minutes{below(3) == 0 ? 0 : below(40)};
  }
  return steps;
}

/// The list after the step, as the program keeps it; none where it refuses.
std::optional<Overrides> changed(const Policy& policy, const Overrides& list, const Step& step, std::uint64_t last_id,
                                 Seconds now) {
  const auto group = step.group ? std::optional(policy.groups[*step.group].name) : std::nullopt;
  const auto span = fmt::format("{}m", step.span.count());
  const auto result = [](auto outcome) { return outcome ? std::optional<Overrides>(*outcome) : std::nullopt; };
  switch (step.what) {
    case Step::What::set:
      return result(with_override(policy, list, {group, profiles[step.profile], span, {}, {}}, last_id, now));
    case Step::What::extend:
      return result(extended(policy, list, group, span, last_id, now));
    case Step::What::clear:
      return result(cleared(policy, list, group, last_id, now));
    case Step::What::prune:
      return pruned(policy, list, now);
    default: {
      const auto kept = overrides_from_json(to_json({last_id, list, {}}));
      return kept ? std::optional(kept->overrides) : std::nullopt;
    }
  }
}

bool changed(Hands& hands, const Step& step, Seconds now) {
  if (step.what == Step::What::set) return hands.set(step.group, step.profile, step.span, now);
  if (step.what == Step::What::extend) return hands.extend(step.group, step.span, now);
  if (step.what == Step::What::clear) hands.clear(step.group);
  return true;
}

/// What a group's timeline from now on differs in.
std::string difference_of(const Policy& policy, const Overrides& list, Hands& hands, std::size_t index, Seconds now) {
  const auto& group = policy.groups[index];
  const Circumstances circumstances{list, true};
  const auto end = now + std::chrono::hours{20};
  std::string lines, wanted;
  for (const auto& line : timeline(policy, group, now, end, circumstances))
    lines += fmt::format("  {} {}\n", format_local(policy, line.at), line.holding.profile);
  std::size_t last = profiles.size();
  std::optional<Seconds> change;
  for (auto at = now; at < end; at += minutes{1}) {
    const auto profile = expected(policy, hands, index, at);
    if (profile == last) continue;
    if (last != profiles.size() && !change) change = at;
    last = profile;
    wanted += fmt::format("  {} {}\n", format_local(policy, at), profiles[profile]);
  }
  if (lines != wanted) return fmt::format("{}:\n{}expected:\n{}", group.name, lines, wanted);
  const auto until = span_at(policy, group, now, circumstances).until;
  if (change && until != change)
    return fmt::format("{}: the span ends at another instant than the timeline's next line\n", group.name);
  return {};
}

std::string difference(const Policy& policy, const std::vector<Step>& steps) {
  // In the night in which an hour occurs twice.
  auto now = Seconds{date::sys_days{date::year{2026} / 10 / 24}} + std::chrono::hours{20};
  Overrides list;
  Hands hands;
  std::uint64_t last_id = 0;
  for (const auto& step : steps) {
    now += step.later;
    const auto next = changed(policy, list, step, last_id, now);
    if (next.has_value() != changed(hands, step, now))
      return fmt::format("{} the step: {}", next ? "takes" : "refuses", to_string(policy, step));
    if (next) list = *next;
    for (const auto& one : list) last_id = std::max(last_id, one.id);
    for (std::size_t group = 0; group < policy.groups.size(); ++group)
      if (auto text = difference_of(policy, list, hands, group, now); !text.empty()) return text;
  }
  return {};
}

/// The fewest of the steps that still differ.
std::vector<Step> shrunk(const Policy& policy, std::vector<Step> steps) {
  for (std::size_t i = 0; i < steps.size();) {
    auto fewer = steps;
    // Who comes after it comes at the same time all the same.
    if (i + 1 < fewer.size()) fewer[i + 1].later += fewer[i].later;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    if (difference(policy, fewer).empty()) {
      ++i;
    } else {
      steps = std::move(fewer);
      i = 0;
    }
  }
  return steps;
}

}  // namespace

TEST_CASE("whatever is set, extended and lifted by hand, the newest that concerns a group holds, and ends by itself") {
  const auto policy = school();
  const auto* wish = std::getenv("OVERRIDE_SEEDS");
  const auto seeds = wish != nullptr ? static_cast<unsigned>(std::strtoul(wish, nullptr, 10)) : 250U;
  REQUIRE(seeds > 0);
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    const auto steps = steps_of(seed);
    if (difference(policy, steps).empty()) continue;
    const auto few = shrunk(policy, steps);
    std::string story;
    for (const auto& step : few) story += to_string(policy, step);
    FAIL("seed " << seed << ":\n" << story << difference(policy, few));
  }
}
