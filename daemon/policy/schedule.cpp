// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/schedule.hpp"

#include <date/tz.h>

#include <algorithm>

namespace schultor::policy {
namespace {

using std::chrono::days;
using std::chrono::minutes;
using std::chrono::seconds;
using LocalTime = date::local_seconds;

/// Whether the window, where it starts on `day`, holds at `since_midnight` of that day.
bool starts_and_holds(const Window& window, date::weekday day, seconds since_midnight) {
  if ((window.weekdays >> (day.iso_encoding() - 1) & 1U) == 0) return false;
  return since_midnight >= window.start && (window.end < window.start || since_midnight < window.end);
}

/// Whether the window runs on into `day` from the one before.
bool runs_on(const Window& window, date::weekday day, seconds since_midnight) {
  const auto eve = day - days{1};
  return window.end < window.start && (window.weekdays >> (eve.iso_encoding() - 1) & 1U) != 0 && since_midnight < window.end;
}

/// The window that holds at a local time, the first as written; null where none does.
const Window* window_at(const Schedule& schedule, LocalTime local) {
  const auto day = date::floor<days>(local);
  const date::weekday weekday(day);
  const seconds since_midnight = local - day;
  for (const auto& window : schedule.windows)
    if (starts_and_holds(window, weekday, since_midnight) || runs_on(window, weekday, since_midnight)) return &window;
  return nullptr;
}

const Schedule* schedule_of(const Policy& policy, const Group& group) {
  return group.schedule ? &policy.schedules[*group.schedule] : nullptr;
}

Holding describe(const Schedule& schedule, const Window* window) {
  if (window == nullptr) return {schedule.otherwise, Because::otherwise, "otherwise", schedule.otherwise_source};
  return {schedule.during, Because::window, "window " + window->text, window->source};
}

LocalTime local_time(Seconds at, seconds offset) { return LocalTime{at.time_since_epoch() + offset}; }
Seconds instant(LocalTime local, seconds offset) { return Seconds{local.time_since_epoch() - offset}; }

/// The times of day at which a window starts or ends, sorted.
std::vector<minutes> edges_of(const Schedule& schedule) {
  std::vector<minutes> edges;
  for (const auto& window : schedule.windows) {
    edges.push_back(window.start);
    edges.push_back(window.end % days{1});
  }
  // A window's weekday ends with the day.
  edges.push_back(minutes{0});
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  return edges;
}

/// Calls `visit(at, window)` for each instant in (from, to) at which what holds may change, in order, until it
/// returns false. What holds is a function of the local time, so that is where the local time comes by an edge of
/// a window, and where the zone's clock is changed.
template <typename Visit>
void for_each_candidate(const Policy& policy, const Schedule& schedule, Seconds from, Seconds to, Visit visit) {
  const auto edges = edges_of(schedule);
  auto begin = from;
  while (begin < to) {
    const auto info = policy.zone->get_info(begin);
    const auto end = std::min<Seconds>(info.end, to);
    if (begin > from && !visit(begin, window_at(schedule, local_time(begin, info.offset)))) return;
    const auto last = local_time(end, info.offset);
    for (auto day = date::floor<days>(local_time(begin, info.offset)); day < last; day += days{1}) {
      for (const auto edge : edges) {
        const LocalTime local = day + seconds{edge};
        const auto at = instant(local, info.offset);
        if (at <= begin) continue;
        if (at >= end) break;
        if (!visit(at, window_at(schedule, local))) return;
      }
    }
    begin = end;
  }
}

std::string_view profile_of(const Schedule& schedule, const Window* window) {
  return window != nullptr ? schedule.during : schedule.otherwise;
}

const Window* window_at(const Policy& policy, const Schedule& schedule, Seconds at) {
  return window_at(schedule, local_time(at, policy.zone->get_info(at).offset));
}

/// Calls `visit(at, window)` for each instant in (from, to) at which the profile changes, in order, until it returns false.
template <typename Visit>
void for_each_change(const Policy& policy, const Schedule& schedule, Seconds from, Seconds to, Visit visit) {
  auto held = profile_of(schedule, window_at(policy, schedule, from));
  for_each_candidate(policy, schedule, from, to, [&](Seconds at, const Window* window) {
    const auto profile = profile_of(schedule, window);
    if (profile == held) return true;
    held = profile;
    return visit(at, window);
  });
}

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
  }
  return "";
}

Holding holding_at(const Policy& policy, const Group& group, Seconds at) {
  const auto* schedule = schedule_of(policy, group);
  if (schedule == nullptr) return {group.fixed_profile, Because::fixed, "fixed", group.source};
  return describe(*schedule, window_at(policy, *schedule, at));
}

Span span_at(const Policy& policy, const Group& group, Seconds at) {
  Span span{holding_at(policy, group, at), std::nullopt, std::nullopt};
  const auto* schedule = schedule_of(policy, group);
  if (schedule == nullptr) return span;
  // Most often it was today; a switch that is due does not wait for a walk through the year.
  for (const std::chrono::days back : {std::chrono::days{2}, std::chrono::days{9}, lookback}) {
    for_each_change(policy, *schedule, at - back, at + seconds{1}, [&](Seconds change, const Window*) {
      span.since = change;
      return true;
    });
    if (span.since) break;
  }
  for_each_change(policy, *schedule, at, at + lookahead, [&](Seconds change, const Window*) {
    span.until = change;
    return false;
  });
  return span;
}

std::vector<Transition> timeline(const Policy& policy, const Group& group, Seconds from, Seconds to) {
  std::vector<Transition> lines;
  if (from >= to) return lines;
  lines.push_back({from, holding_at(policy, group, from)});
  if (const auto* schedule = schedule_of(policy, group))
    for_each_change(policy, *schedule, from, to, [&](Seconds change, const Window* window) {
      lines.push_back({change, describe(*schedule, window)});
      return true;
    });
  return lines;
}

}  // namespace schultor::policy
