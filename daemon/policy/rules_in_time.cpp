// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/rules_in_time.hpp"

#include <algorithm>

namespace schultor::policy {
namespace {

using date::local_days;
using std::chrono::days;
using std::chrono::seconds;

/// The entry of a date, in a list that is sorted by date.
template <typename Dated>
const Dated* on(const std::vector<Dated>& list, local_days date) {
  const auto found =
      std::lower_bound(list.begin(), list.end(), date, [](const Dated& one, local_days wanted) { return one.date < wanted; });
  return found == list.end() || found->date != date ? nullptr : &*found;
}

bool is_on(const Window& window, local_days date) {
  return (window.weekdays >> (date::weekday(date).iso_encoding() - 1) & 1U) != 0;
}

bool runs_past_midnight(const Window& window) { return window.end < window.start; }

/// Whether the window, where it starts on a date, holds at that date's time.
bool holds_from_start(const Window& window, seconds time) {
  return time >= window.start && (runs_past_midnight(window) || time < window.end);
}

/// Whether the window, where it starts on the date before, still holds.
bool holds_past_midnight(const Window& window, seconds time) { return runs_past_midnight(window) && time < window.end; }

Ruling ruling_of(const Day& day, seconds time) {
  Ruling ruling{Because::day, &day, nullptr, nullptr};
  for (const auto& window : day.windows)
    if (ruling.window == nullptr && holds_from_start(window, time)) ruling.window = &window;
  return ruling;
}

/// The ruling, where the window runs on from the evening before.
std::optional<Ruling> from_eve(const Window& window, const Day* eve_day, local_days eve, seconds time) {
  if (!holds_past_midnight(window, time)) return std::nullopt;
  if (eve_day != nullptr) return Ruling{Because::day, eve_day, nullptr, &window};
  if (is_on(window, eve)) return Ruling{Because::window, nullptr, nullptr, &window};
  return std::nullopt;
}

void add_edges_of(const std::vector<Window>& windows, std::vector<seconds>& edges) {
  for (const auto& window : windows) {
    edges.push_back(window.start);
    edges.push_back(window.end % days{1});
  }
}

}  // namespace

const date::sys_info& LocalClock::info(Seconds at) {
  if (at < info_.begin || at >= info_.end) info_ = zone_.get_info(at);
  return info_;
}

Ruling ruling_at(const Schedule& schedule, LocalTime local) {
  const auto date = date::floor<days>(local);
  const seconds time = local - date;
  if (const auto* day = on(schedule.days, date)) return ruling_of(*day, time);
  if (const auto* holiday = on(schedule.free_days, date)) return {Because::holiday, nullptr, holiday, nullptr};
  for (const auto& window : schedule.windows)
    if (is_on(window, date) && holds_from_start(window, time)) return {Because::window, nullptr, nullptr, &window};
  const auto eve = date - days{1};
  const auto* eve_day = on(schedule.days, eve);
  // The windows of a holiday do not start, so none runs on from it.
  if (eve_day == nullptr && on(schedule.free_days, eve) != nullptr) return {};
  for (const auto& window : eve_day != nullptr ? eve_day->windows : schedule.windows)
    if (const auto ruling = from_eve(window, eve_day, eve, time)) return *ruling;
  return {};
}

Holding describe(const Schedule& schedule, const Ruling& ruling) {
  const auto& inside = ruling.window != nullptr ? schedule.during : schedule.otherwise;
  switch (ruling.because) {
    case Because::day: {
      const auto date = date::format("%F", ruling.day->date);
      if (ruling.day->windows.empty())
        return {schedule.holidays, Because::day, "day " + date + " without windows", ruling.day->source};
      if (ruling.window != nullptr) return {inside, Because::day, "day " + date + " " + ruling.window->text, ruling.window->source};
      return {inside, Because::day, "day " + date + " outside of its windows", ruling.day->source};
    }
    case Because::holiday:
      return {schedule.holidays, Because::holiday, ruling.holiday->text.empty() ? "holiday" : "holiday " + ruling.holiday->text,
              ruling.holiday->source};
    case Because::window:
      return {inside, Because::window, "window " + ruling.window->text, ruling.window->source};
    default:
      return {inside, Because::otherwise, "otherwise", schedule.otherwise_source};
  }
}

void add_edges(const Schedule& schedule, LocalClock& clock, Seconds begin, Seconds end, std::vector<Seconds>& instants) {
  std::vector<seconds> of_schedule{seconds{0}};
  add_edges_of(schedule.windows, of_schedule);
  std::vector<seconds> edges;
  while (begin < end) {
    const auto info = clock.info(begin);
    const auto stop = std::min<Seconds>(info.end, end);
    instants.push_back(begin);
    const LocalTime first{begin.time_since_epoch() + info.offset};
    const LocalTime last{stop.time_since_epoch() + info.offset};
    for (auto date = date::floor<days>(first); date < last; date += days{1}) {
      edges = of_schedule;
      for (const auto with_own : {date, date - days{1}})
        if (const auto* day = on(schedule.days, with_own)) add_edges_of(day->windows, edges);
      for (const auto edge : edges)
        if (const LocalTime at = date + edge; at >= first && at < last)
          instants.push_back(Seconds{at.time_since_epoch() - info.offset});
    }
    begin = stop;
  }
}

}  // namespace schultor::policy
