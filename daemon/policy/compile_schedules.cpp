// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile_schedules.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace schultor::policy {
namespace {

using date::local_days;
using std::chrono::days;
using std::chrono::seconds;

/// German letters in one character each: some programs write Ü as U and the two dots (U+0308).
std::string composed(std::string_view text) {
  constexpr std::string_view dots = "\xcc\x88";
  constexpr std::string_view plain = "aouAOU";
  constexpr std::string_view second_octets = "\xa4\xb6\xbc\x84\x96\x9c";
  std::string whole;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto letter = plain.find(text[i]);
    if (letter == std::string_view::npos || !text.substr(i + 1).starts_with(dots)) {
      whole += text[i];
    } else {
      whole += '\xc3';
      whole += second_octets[letter];
      i += dots.size();
    }
  }
  return whole;
}

/// Lower case, for ASCII and the letters of Latin-1 as UTF-8 writes them.
std::string lower(std::string_view text) {
  auto lowered = composed(text);
  for (std::size_t i = 0; i < lowered.size(); ++i) {
    auto& c = lowered[i];
    const bool ascii = c >= 'A' && c <= 'Z';
    const auto octet = static_cast<unsigned char>(c);
    const bool latin = i > 0 && lowered[i - 1] == '\xc3' && octet <= 0x9e && octet != 0x97;
    if (ascii || latin) c = static_cast<char>(c + 0x20);
  }
  return lowered;
}

/// The number of octets of the character that starts here.
std::size_t character(std::string_view text) {
  std::size_t length = 1;
  while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0U) == 0x80U) ++length;
  return length;
}

bool picks(const std::vector<config::Text>& globs, const config::CalendarEvent& event) {
  return std::any_of(globs.begin(), globs.end(), [&](const config::Text& glob) {
    return fits_glob(glob.value, event.summary) ||
           std::any_of(event.categories.begin(), event.categories.end(),
                       [&](const std::string& category) { return fits_glob(glob.value, category); });
  });
}

/// The dates of a calendar's reach, each of which the first event that touches it takes. Skips in nearly no time over what is
/// taken, so that overlapping events cost nothing.
class Dates {
public:
  Dates() : next_(static_cast<std::size_t>((end - begin).count()) + 1) { std::iota(next_.begin(), next_.end(), std::size_t{0}); }

  void take(local_days first, local_days last, const config::CalendarEvent& event) {
    if (last < begin || first >= end) return;
    const auto from = static_cast<std::size_t>((std::max(first, begin) - begin).count());
    const auto to = static_cast<std::size_t>((std::min<local_days>(last, end - days{1}) - begin).count());
    for (auto date = free_from(from); date <= to; date = free_from(date)) {
      taken_.push_back({begin + days{static_cast<int>(date)}, event.summary, {event.source.file, event.source.line}});
      next_[date] = date + 1;
    }
  }

  std::vector<Holiday> result() && {
    std::sort(taken_.begin(), taken_.end(), [](const Holiday& a, const Holiday& b) { return a.date < b.date; });
    return std::move(taken_);
  }

private:
  static constexpr local_days begin{date::year{config::first_calendar_year} / 1 / 1};
  static constexpr local_days end{date::year{config::last_calendar_year + 1} / 1 / 1};

  std::size_t free_from(std::size_t date) {
    while (next_[date] != date) {
      next_[date] = next_[next_[date]];
      date = next_[date];
    }
    return date;
  }

  std::vector<std::size_t> next_;  ///< of a date that is taken: a later one; of a free one: itself
  std::vector<Holiday> taken_;
};

/// The first and the last date that an occurrence touches. One that ends at a date's beginning does not touch that date.
struct Touched {
  const date::time_zone& zone;

  std::pair<local_days, local_days> operator()(const config::AllDay& dates) const { return {dates.first, dates.last}; }
  std::pair<local_days, local_days> operator()(const config::Timed& timed) const {
    const auto local = [&](std::chrono::sys_seconds at) { return date::floor<days>(zone.to_local(at)); };
    return {local(timed.start), local(std::max(timed.start, timed.end - seconds{1}))};
  }
  std::pair<local_days, local_days> operator()(const config::Floating& floating) const {
    return {date::floor<days>(floating.start), date::floor<days>(std::max(floating.start, floating.end - seconds{1}))};
  }
};

/// Says where a list of globs has an empty one, or none that fits any event.
void check_globs(const std::vector<config::Text>& globs, const config::CalendarUse& use,
                 const std::vector<config::CalendarEvent>& events, config::Diagnostics& out) {
  for (const auto& glob : globs) {
    if (glob.value.empty()) out.error(glob.source, "an empty glob picks nothing: expected one such as \"*ferien*\"");
    else if (std::none_of(events.begin(), events.end(), [&](const auto& event) { return picks({glob}, event); }))
      out.warning(glob.source, fmt::format("“{}” fits no event of {}", glob.value, use.file.value));
  }
}

void take_dates(const config::CalendarUse& use, const config::Config& config, const date::time_zone& zone, Dates& dates) {
  for (const auto& event : config.calendars[use.calendar]) {
    if ((!use.only.empty() && !picks(use.only, event)) || picks(use.except, event)) continue;
    for (const auto& occurrence : event.occurrences) {
      const auto [first, last] = std::visit(Touched{zone}, occurrence);
      dates.take(first, last, event);
    }
  }
}

}  // namespace

bool fits_glob(std::string_view glob_as_written, std::string_view text_as_written) {
  const auto glob_lower = lower(glob_as_written);
  const auto text_lower = lower(text_as_written);
  std::string_view glob = glob_lower, text = text_lower;
  // After a `*` only the last one is ever taken back, which keeps this from growing with the power of their number.
  std::optional<std::pair<std::string_view, std::string_view>> star;
  while (!text.empty()) {
    if (!glob.empty() && glob.front() == '*') {
      glob.remove_prefix(1);
      star = {glob, text};
    } else if (!glob.empty() && glob.front() == '?') {
      glob.remove_prefix(1);
      text.remove_prefix(character(text));
    } else if (!glob.empty() && glob.front() == text.front()) {
      glob.remove_prefix(1);
      text.remove_prefix(1);
    } else if (star) {
      star->second.remove_prefix(1);
      std::tie(glob, text) = *star;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*') == std::string_view::npos;
}

void check_calendars(const config::Schedule& schedule, const config::Config& config, config::Diagnostics& out) {
  for (const auto& use : schedule.calendars) {
    check_globs(use.only, use, config.calendars[use.calendar], out);
    check_globs(use.except, use, config.calendars[use.calendar], out);
  }
}

std::vector<Holiday> holidays_of(const config::Schedule& schedule, const config::Config& config, const date::time_zone& zone) {
  Dates dates;
  for (const auto& use : schedule.calendars) take_dates(use, config, zone, dates);
  return std::move(dates).result();
}

std::vector<Holiday> holidays_of_use(const config::CalendarUse& use, const config::Config& config, const date::time_zone& zone) {
  Dates dates;
  take_dates(use, config, zone, dates);
  return std::move(dates).result();
}

std::vector<Day> days_of(const std::vector<config::Day>& days, std::string_view schedule) {
  std::map<local_days, const config::Day*> by_date;
  for (const auto& day : days) {
    if (day.schedule && day.schedule->value != schedule) continue;
    auto& slot = by_date[day.date.value];
    if (slot == nullptr || (day.schedule && !slot->schedule)) slot = &day;
  }
  std::vector<Day> compiled;
  for (const auto& [date, day] : by_date)
    compiled.push_back({date, windows_of(day->windows), {day->date.source.file, day->date.source.line}});
  return compiled;
}

void check_days(const std::vector<config::Day>& days, config::Diagnostics& out) {
  std::map<std::pair<local_days, std::optional<std::string>>, const config::Day*> seen;
  for (const auto& day : days) {
    if (day.date.source.line == 0) continue;
    const auto schedule = day.schedule ? std::optional(day.schedule->value) : std::nullopt;
    const auto [first, fresh] = seen.try_emplace({day.date.value, schedule}, &day);
    if (fresh) continue;
    out.error(
        day.date.source,
        fmt::format("{} has windows of its own already for {}, first at {}", date::format("%F", day.date.value),
                    schedule ? fmt::format("schedule “{}”", *schedule) : "all schedules", to_string(first->second->date.source)));
  }
}

std::vector<Window> windows_of(const std::vector<config::Window>& windows) {
  std::vector<Window> compiled;
  for (const auto& window : windows)
    compiled.push_back({window.weekdays, window.start, window.end, window.text, {window.source.file, window.source.line}});
  return compiled;
}

}  // namespace schultor::policy
