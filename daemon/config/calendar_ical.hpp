// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/config/calendar_text.hpp"

#include <date/date.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the values of a calendar's properties say. calendar_ical.cpp and calendar_rule.cpp
/// alone know libical.
///
/// libical is handed one line at a time: its parser of components asserts things that a hostile file breaks, and its dates take
/// "2026033x" for the 3rd of March. So structure and the spelling of dates are ours, parameters, texts, durations and the
/// parts of rules are libical's. The days that a rule names are ours again: libical 3.0.16 reads some rules wrong without a word.
namespace schultor::config {

/// A DATE or DATE-TIME as written.
struct Stamp {
  date::local_seconds local{};
  bool is_date = false;
  bool utc = false;
  bool bare = false;  ///< a date whose property has no VALUE=DATE
  std::string tzid;   ///< empty: none
};

/// Days of the calendar, then exact time (RFC 5545, 3.3.6).
struct Length {
  date::days days{0};
  std::chrono::seconds exact{0};
};

/// A start, with an end or a length of its own where it is a PERIOD.
struct Period {
  Stamp start;
  std::optional<Stamp> end;
  std::optional<Length> length;
};

/// A date or time without its parameters.
[[nodiscard]] base::Result<Stamp> read_stamp(std::string_view text);
/// The values of DTSTART, DTEND, EXDATE, RECURRENCE-ID; one at least.
[[nodiscard]] base::Result<std::vector<Stamp>> read_stamps(const ContentLine& line);
/// The values of RDATE.
[[nodiscard]] base::Result<std::vector<Period>> read_periods(const ContentLine& line);
/// DURATION.
[[nodiscard]] base::Result<Length> read_length(std::string_view text);
/// TZOFFSETFROM, TZOFFSETTO.
[[nodiscard]] base::Result<std::chrono::seconds> read_offset(std::string_view text);
/// The texts of SUMMARY or CATEGORIES: unescaped, each in one line, none of them empty.
[[nodiscard]] std::vector<std::string> read_texts(const ContentLine& line);
/// Whether a property has RANGE=THISANDFUTURE.
[[nodiscard]] bool has_range(const ContentLine& line);
/// Whoever read lines in this thread gives libical's scratch memory back.
void release_ical_memory();

/// An RRULE that can be iterated.
struct Rule {
  std::string text;
  std::optional<Stamp> until;
  std::int64_t count = 0;  ///< 0: none
  bool finer_than_days = false;
};
[[nodiscard]] base::Result<Rule> read_rule(std::string_view text);

/// What reading one file may still cost.
struct Budget {
  std::int64_t steps = 6'000'000;      ///< of recurrence rules: days and times looked at
  std::int64_t occurrences = 200'000;  ///< in all
  int barren_rules = 3;                ///< rules that name nothing, each told of
  bool exhausted = false;              ///< told once; what more there is to write out is left
};

/// The local times that a rule names from `start` on, in order, up to `until` (whatever zone that is in, some more may follow)
/// and not beyond last_calendar_year; none when the budget was exhausted before. `whole_days`: of an all-day event, hours are none
/// of its business.
[[nodiscard]] base::Result<std::vector<date::local_seconds>> expand(const Rule& rule, date::local_seconds start, bool whole_days,
                                                                    Budget& budget);

}  // namespace schultor::config
