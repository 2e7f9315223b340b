// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/schedule.hpp"

#include "daemon/policy/rules_in_time.hpp"

#include <algorithm>
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
    const bool configured = group_.schedule || !group_.fixed_profile.empty();
    std::optional<Holding> strictest;
    if (configured) strictest = of_group(group_, when);
    for (const auto& other : policy_.groups) {
      if (&other == &group_ || other.ownership != Ownership::school) continue;
      auto theirs = configured ? override_of(other, when) : std::optional(of_group(other, when));
      if (!theirs || (strictest && stricter(policy_, strictest->profile, theirs->profile) == strictest->profile)) continue;
      theirs->text = fmt::format("as {}: {}", other.name, theirs->text);
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
  /// The group's own word, without regard to others.
  Holding of_group(const Group& group, Seconds when) {
    if (auto overridden = override_of(group, when)) return std::move(*overridden);
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

  std::optional<Holding> override_of(const Group& group, Seconds when) {
    if (!circumstances_.clock_trusted) return override_out_of_time(group, when);
    const auto* found = override_at(circumstances_.overrides, group.name, when);
    if (found == nullptr) return std::nullopt;
    return holding_of(*found);
  }

  /// While nobody knows the time, nobody knows whether an override has ended: it holds where it is the safe side.
  std::optional<Holding> override_out_of_time(const Group& group, Seconds when) {
    const auto& all = circumstances_.overrides;
    const auto newest =
        std::find_if(all.rbegin(), all.rend(), [&](const Override& one) { return !one.group || *one.group == group.name; });
    if (newest == all.rend() || newest->profile.empty()) return std::nullopt;
    const auto rules = by_rules(group, when);
    if (stricter(policy_, rules.profile, newest->profile) == rules.profile) return std::nullopt;
    return holding_of(*newest);
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
    }
    for (const auto& one : circumstances_.overrides)
      for (const auto edge : {one.from, one.until})
        if (edge >= begin && edge < end) instants.push_back(edge);
    std::sort(instants.begin(), instants.end());
    instants.erase(std::unique(instants.begin(), instants.end()), instants.end());
    return instants;
  }

  const Policy& policy_;
  const Group& group_;
  const Circumstances& circumstances_;
  LocalClock clock_;
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
