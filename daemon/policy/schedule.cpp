// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/schedule.hpp"

#include "daemon/policy/rules_in_time.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace schultor::policy {
namespace {

using std::chrono::days;
using std::chrono::seconds;

/// Instants are gathered this many days at a time.
constexpr days stretch{8};

/// What holds for one group, instant by instant.
class Reading {
public:
  Reading(const Policy& policy, const Group& group, const Circumstances& circumstances)
      : policy_(policy), group_(group), circumstances_(circumstances), clock_(*policy.zone) {}

  Holding at(Seconds when) {
    if (!group_.unknown || !group_.strictest) return of_group(group_, when);
    if (group_.schedule || !group_.fixed_profile.empty()) return strictest_override(of_group(group_, when), when);
    std::optional<Holding> strictest;
    for (const auto& other : policy_.groups) {
      if (!is_measure(other)) continue;
      auto theirs = of_group(other, when);
      if (strictest && stricter(policy_, strictest->profile, theirs.profile) == strictest->profile) continue;
      theirs.text = as(other, theirs);
      strictest = std::move(theirs);
    }
    return strictest.value_or(Holding{});
  }

  /// Calls `visit(at, holding)` for each instant in (from, to) at which the profile changes, in order, until it returns false.
  template <typename Visit>
  void for_each_change(Seconds from, Seconds to, Visit visit) {
    auto held = at(from).profile;
    for (auto begin = from; begin < to; begin += stretch) {
      for (const auto instant : candidates(begin, std::min<Seconds>(begin + stretch, to))) {
        if (instant == from) continue;
        auto holding = at(instant);
        if (holding.profile == held) continue;
        held = holding.profile;
        if (!visit(instant, std::move(holding))) return;
      }
    }
  }

private:
  /// Whether an unknown device is held to what this group is held to.
  [[nodiscard]] bool is_measure(const Group& group) const { return &group != &group_ && group.ownership == Ownership::school; }

  static std::string as(const Group& group, const Holding& theirs) { return fmt::format("as {}: {}", group.name, theirs.text); }

  /// `own`, or where some class has a stricter override, that. Words are found for the one that is chosen alone: there may be many.
  Holding strictest_override(Holding own, Seconds when) {
    const Override* strictest = nullptr;
    const Group* whose = nullptr;
    for (const auto& other : policy_.groups) {
      const auto* theirs = is_measure(other) ? override_of(other, when) : nullptr;
      const auto& profile = strictest != nullptr ? strictest->profile : own.profile;
      if (theirs == nullptr || theirs->profile == profile || stricter(policy_, profile, theirs->profile) == profile) continue;
      strictest = theirs;
      whose = &other;
    }
    if (strictest == nullptr) return own;
    own = holding_of(*strictest);
    own.text = as(*whose, own);
    return own;
  }

  /// The group's own word, without regard to others.
  Holding of_group(const Group& group, Seconds when) {
    if (const auto* overridden = override_of(group, when)) return holding_of(*overridden);
    return by_rules(group, when);
  }

  Holding by_rules(const Group& group, Seconds when) {
    if (!group.schedule) return {group.fixed_profile, Because::fixed, "fixed", group.source};
    const auto& schedule = policy_.schedules[*group.schedule];
    if (circumstances_.clock_trusted) return describe(schedule, ruling_at(schedule, clock_.local(when)));
    const std::string text = "the clock is not known to be right";
    if (policy_.untrusted.empty()) return {schedule.during, Because::clock, text, schedule.source};
    return {policy_.untrusted, Because::clock, text, policy_.untrusted_source};
  }

  /// The override that holds for the group; null where none does.
  const Override* override_of(const Group& group, Seconds when) {
    const auto& all = overrides_of(group);
    if (circumstances_.clock_trusted) return override_at(all, group.name, when);
    // While nobody knows the time, nobody knows whether an override has ended: it holds where it is the safe side.
    if (all.empty() || all.back().profile.empty()) return nullptr;
    const auto rules = by_rules(group, when);
    return stricter(policy_, rules.profile, all.back().profile) == rules.profile ? nullptr : &all.back();
  }

  /// Those that concern the group: few of what may be many, and looked through at every candidate.
  const Overrides& overrides_of(const Group& group) {
    const auto [known, fresh] = overrides_of_.try_emplace(&group);
    if (fresh)
      for (const auto& one : circumstances_.overrides)
        if (!one.group || *one.group == group.name) known->second.push_back(one);
    return known->second;
  }

  Holding holding_of(const Override& one) const {
    constexpr std::size_t minutes_end = 16;  // of "2026-11-23T17:00:00+01:00"
    return {one.profile,
            Because::override,
            fmt::format("override {} until {}", one.id, format_local(policy_, one.until).substr(0, minutes_end)),
            {"override", 0}};
  }

  /// The instants in [begin, end) at which what holds may change, sorted.
  std::vector<Seconds> candidates(Seconds begin, Seconds end) {
    std::vector<Seconds> instants;
    if (!circumstances_.clock_trusted) return instants;
    const bool follows_all = group_.unknown && group_.strictest && !group_.schedule && group_.fixed_profile.empty();
    for (const auto& group : policy_.groups) {
      const bool concerned = &group == &group_ || (follows_all && group.ownership == Ownership::school);
      if (concerned && group.schedule) add_edges(policy_.schedules[*group.schedule], clock_, begin, end, instants);
      if (&group != &group_ && !(group_.unknown && group_.strictest && is_measure(group))) continue;
      for (const auto& one : overrides_of(group))
        for (const auto edge : {one.from, one.until})
          if (edge >= begin && edge < end) instants.push_back(edge);
    }
    std::sort(instants.begin(), instants.end());
    instants.erase(std::unique(instants.begin(), instants.end()), instants.end());
    return instants;
  }

  const Policy& policy_;
  const Group& group_;
  const Circumstances& circumstances_;
  LocalClock clock_;
  std::map<const Group*, Overrides> overrides_of_;
};

}  // namespace

std::string_view to_string(Because because) {
  switch (because) {
    case Because::override:
      return "override";
    case Because::day:
      return "day";
    case Because::holiday:
      return "holiday";
    case Because::window:
      return "window";
    case Because::otherwise:
      return "otherwise";
    case Because::fixed:
      return "fixed";
    case Because::clock:
      return "clock";
  }
  return "";
}

const std::string& stricter(const Policy& policy, const std::string& a, const std::string& b) {
  const auto* first = policy.find_profile(a);
  const auto* second = policy.find_profile(b);
  if (first == nullptr || second == nullptr) return first == nullptr ? b : a;
  const auto rank = [](const ProfileNames* profile) {
    const auto count = [](const NamePatterns& names) { return static_cast<std::ptrdiff_t>(names.patterns().size()); };
    return std::tuple(!profile->listed,
                      profile->listed ? count(profile->allow) : -count(profile->block) - count(profile->city_block), profile);
  };
  return rank(second) < rank(first) ? b : a;
}

Holding holding_at(const Policy& policy, const Group& group, Seconds at, const Circumstances& circumstances) {
  return Reading(policy, group, circumstances).at(at);
}

Span span_at(const Policy& policy, const Group& group, Seconds at, const Circumstances& circumstances) {
  Reading reading(policy, group, circumstances);
  Span span{reading.at(at), std::nullopt, std::nullopt};
  // Most often it was today; a switch that is due does not wait for a walk through the year.
  for (const days back : {days{2}, days{9}, lookback}) {
    reading.for_each_change(at - back, at + seconds{1}, [&](Seconds change, const Holding&) {
      span.since = change;
      return true;
    });
    if (span.since) break;
  }
  reading.for_each_change(at, at + lookahead, [&](Seconds change, const Holding&) {
    span.until = change;
    return false;
  });
  return span;
}

std::vector<Transition> timeline(const Policy& policy, const Group& group, Seconds from, Seconds to,
                                 const Circumstances& circumstances) {
  std::vector<Transition> lines;
  if (from >= to) return lines;
  Reading reading(policy, group, circumstances);
  lines.push_back({from, reading.at(from)});
  reading.for_each_change(from, to, [&](Seconds change, Holding holding) {
    lines.push_back({change, std::move(holding)});
    return true;
  });
  return lines;
}

}  // namespace schultor::policy
