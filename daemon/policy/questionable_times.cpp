// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/questionable.hpp"

#include "daemon/policy/compile_schedules.hpp"
#include "daemon/policy/questionable_parts.hpp"
#include "daemon/policy/rules_in_time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace schultor::policy {
namespace {

using date::local_days;
using std::chrono::days;
using std::chrono::minutes;

/// What is walked through is bounded: beyond it nothing is questioned.
constexpr std::int64_t most_steps = 5'000'000;

std::string text(local_days date) { return date::format("%F", date); }

// --- windows that overlap

/// A stretch of the week, or of a date, that a window takes.
struct Stretch {
  minutes start;
  minutes end;
  std::size_t window;
};

/// The stretches of windows, in the order of their starts; what runs over the end of the week goes on at its start.
std::vector<Stretch> stretches_of(const std::vector<config::Window>& windows, bool of_week) {
  const minutes day = days{1};
  const minutes round = days{7};
  std::vector<Stretch> stretches;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const auto& window = windows[i];
    const auto length = window.end < window.start ? window.end + day - window.start : window.end - window.start;
    for (int weekday = 0; weekday < (of_week ? 7 : 1); ++weekday) {
      if ((window.weekdays >> weekday & 1U) == 0) continue;
      const auto start = weekday * day + window.start;
      const auto end = start + length;
      if (of_week && end > round) {
        stretches.push_back({start, round, i});
        stretches.push_back({minutes{0}, end - round, i});
      } else {
        stretches.push_back({start, end, i});
      }
    }
  }
  std::stable_sort(stretches.begin(), stretches.end(), [](const Stretch& a, const Stretch& b) { return a.start < b.start; });
  return stretches;
}

void question_overlaps(const std::vector<config::Window>& windows, bool of_week, config::Diagnostics& out) {
  const auto stretches = stretches_of(windows, of_week);
  std::set<std::size_t> told;
  const Stretch* longest = nullptr;
  for (const auto& one : stretches) {
    if (longest != nullptr && one.start < longest->end && one.window != longest->window) {
      const auto [first, second] = std::minmax(one.window, longest->window);
      if (told.insert(second).second)
        out.warning(windows[second].source,
                    fmt::format("window “{}” overlaps “{}” ({}): expected windows beside each other, or one for both",
                                windows[second].text, windows[first].text, to_string(windows[first].source)));
    }
    if (longest == nullptr || one.end > longest->end) longest = &one;
  }
}

// --- what holds on dates

template <typename Dated>
std::vector<Dated> around(const std::vector<Dated>& list, local_days date) {
  const auto before = [](const Dated& one, local_days wanted) { return one.date < wanted; };
  return {std::lower_bound(list.begin(), list.end(), date - days{1}, before),
          std::lower_bound(list.begin(), list.end(), date + days{2}, before)};
}

/// As much of a schedule as decides on a date and the next one.
Schedule excerpt_of(const Schedule& schedule, local_days date) {
  return {schedule.name,
          schedule.windows,
          schedule.during,
          schedule.otherwise,
          schedule.otherwise_source,
          schedule.source,
          schedule.holidays,
          around(schedule.days, date),
          around(schedule.free_days, date)};
}

/// The local times of a date at which the ruling may change.
std::vector<LocalTime> edges_on(const Schedule& schedule, local_days date) {
  std::vector<LocalTime> edges{date};
  const auto add = [&](const std::vector<Window>& windows) {
    for (const auto& window : windows)
      for (const auto edge : {window.start, window.end}) edges.push_back(date + edge % days{1});
  };
  add(schedule.windows);
  for (const auto& day : schedule.days) add(day.windows);
  return edges;
}

class Dates {
public:
  explicit Dates(const Examined& examined) : examined_(examined) {}

  void question() {
    question_hours();
    question_days();
  }

private:
  /// False once too much was walked through.
  bool step(const Schedule& schedule) {
    steps_ -= static_cast<std::int64_t>(schedule.windows.size() + schedule.days.size()) + 1;
    return steps_ > 0;
  }

  /// Whether a window holds at some time of the date. True where nobody can tell any more.
  bool has_hours(const Schedule& schedule, local_days date) {
    const auto excerpt = excerpt_of(schedule, date);
    for (const auto edge : edges_on(excerpt, date))
      if (!step(excerpt) || ruling_at(excerpt, edge).window != nullptr) return true;
    return false;
  }

  void question_hours() {
    if (!examined_.today) return;
    for (const auto* list : {&examined_.config.city.schedules, &examined_.config.school.schedules})
      for (const auto& written : *list) {
        const auto* schedule = examined_.find_schedule(written.name.value);
        if (schedule != nullptr && examined_.is_followed(*schedule)) question_hours_of(*schedule, written);
      }
  }

  void question_hours_of(const Schedule& schedule, const config::Schedule& written) {
    const auto first = *examined_.today;
    const auto end = first + days{hours_expected_within};
    for (auto date = first; date < end; date += days{1})
      if (has_hours(schedule, date)) return;
    const auto holidays = std::count_if(schedule.free_days.begin(), schedule.free_days.end(),
                                        [&](const Holiday& holiday) { return holiday.date >= first && holiday.date < end; });
    examined_.out.warning(
        written.name.source,
        fmt::format(
            "schedule “{}”: its windows hold at no time from {} to {}{}: look at its windows, its calendars and the [[day]]s",
            schedule.name, text(first), text(end - days{1}),
            holidays == 0 ? "" : fmt::format(" ({} of these days are holidays of its calendars)", holidays)));
  }

  void question_days() {
    const auto& written = examined_.config.school.days;
    std::vector<const config::Day*> passed;
    for (const auto& day : written) {
      if (examined_.today && day.date.value < *examined_.today) {
        passed.push_back(&day);
        continue;
      }
      if (!is_followed(day))
        examined_.out.warning(day.date.source,
                              fmt::format("[[day]] {} changes nothing, since no group follows its schedule: remove it, "
                                          "or name another schedule",
                                          text(day.date.value)));
      else if (changes_nothing(day))
        examined_.out.warning(day.date.source,
                              fmt::format("[[day]] {} changes nothing, since what it says holds on that date anyhow: "
                                          "remove it",
                                          text(day.date.value)));
      question_overlaps(day.windows, false, examined_.out);
    }
    if (passed.empty()) return;
    const auto others = passed.size() - 1;
    examined_.out.warning(passed.front()->date.source,
                          others == 0
                              ? fmt::format("[[day]] {} has passed: remove it", text(passed.front()->date.value))
                              : fmt::format("[[day]] {} has passed, and {} more {}: remove them", text(passed.front()->date.value),
                                            others, others == 1 ? "has, too" : "have, too"));
  }

  [[nodiscard]] bool is_followed(const config::Day& day) const {
    const auto* schedule = day.schedule ? examined_.find_schedule(day.schedule->value) : nullptr;
    return !day.schedule || (schedule != nullptr && examined_.is_followed(*schedule));
  }

  bool changes_nothing(const config::Day& written) {
    const Source source{written.date.source.file, written.date.source.line};
    return std::none_of(examined_.policy.schedules.begin(), examined_.policy.schedules.end(), [&](const Schedule& schedule) {
      return examined_.is_followed(schedule) && changes(schedule, written.date.value, source);
    });
  }

  bool changes(const Schedule& schedule, local_days date, const Source& source) {
    const auto with = excerpt_of(schedule, date);
    auto without = with;
    std::erase_if(without.days, [&](const Day& day) { return day.date == date && day.source == source; });
    if (without.days.size() == with.days.size()) return false;
    for (const auto on : {date, local_days{date + days{1}}})
      for (const auto edge : edges_on(with, on)) {
        if (!step(with)) return true;
        if (describe(with, ruling_at(with, edge)).profile != describe(without, ruling_at(without, edge)).profile) return true;
      }
    return false;
  }

  const Examined& examined_;
  std::int64_t steps_ = most_steps;
};

// --- calendars

/// A feed that nobody fetches any more. One that is used twice is told of once.
void question_calendars(const Examined& examined) {
  if (!examined.today) return;
  std::set<std::string_view> told;
  for (const auto* list : {&examined.config.city.schedules, &examined.config.school.schedules})
    for (const auto& schedule : *list)
      for (const auto& use : schedule.calendars) {
        // Who read it has said that there is nothing in it, and question_exceptions() that nothing is left of it.
        const auto dates = holidays_of_use(use, examined.config, *examined.policy.zone);
        if (dates.empty()) continue;
        const auto next = std::lower_bound(dates.begin(), dates.end(), *examined.today,
                                           [](const Holiday& one, local_days wanted) { return one.date < wanted; });
        if (next != dates.end() && next->date < *examined.today + days{events_expected_within}) continue;
        if (!told.insert(use.file.value).second) continue;
        examined.out.warning(
            use.file.source,
            fmt::format("no event of {} is a holiday within the next {} days{}: expected a calendar of these years", use.file.value,
                        events_expected_within,
                        next == dates.begin()
                            ? std::string()
                            : fmt::format(", the last one was on {} (“{}”)", text(std::prev(next)->date), std::prev(next)->text)));
      }
}

/// A calendar of which `except` leaves nothing. Who compiled it has said of `only` that it picks nothing.
void question_exceptions(const Examined& examined) {
  for (const auto* list : {&examined.config.city.schedules, &examined.config.school.schedules})
    for (const auto& schedule : *list)
      for (const auto& use : schedule.calendars) {
        if (use.except.empty() || !holidays_of_use(use, examined.config, *examined.policy.zone).empty()) continue;
        auto all = use;
        all.except.clear();
        if (holidays_of_use(all, examined.config, *examined.policy.zone).empty()) continue;
        examined.out.warning(use.except.front().source,
                             fmt::format("no event of {} is a holiday, since except fits all{}: expected patterns that leave some, "
                                         "or the calendar left out",
                                         use.file.value, use.only.empty() ? "" : " that only picks"));
      }
}

}  // namespace

void question_times(const Examined& examined) {
  for (const auto* list : {&examined.config.city.schedules, &examined.config.school.schedules})
    for (const auto& schedule : *list) question_overlaps(schedule.windows, true, examined.out);
  Dates(examined).question();
  question_exceptions(examined);
  question_calendars(examined);
}

}  // namespace schultor::policy
