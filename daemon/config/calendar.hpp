// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/diagnostic.hpp"

#include <date/date.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace schultor::config {

/// How an all-day event's DTEND is meant.
enum class EventEnd : std::uint8_t {
  by_evidence,  ///< inclusive in an event with a date that lacks VALUE=DATE, and with VALUE=DATE where the feed's single days end
                ///< so
  exclusive,    ///< the day after the last one (RFC 5545, 3.6.1)
  inclusive,    ///< the last day itself
};

/// Whole days, both ends among them.
struct AllDay {
  date::local_days first;
  date::local_days last;
  bool operator==(const AllDay&) const = default;
};
/// [start, end) of an event that names its zone; equal ends: a moment.
struct Timed {
  std::chrono::sys_seconds start;
  std::chrono::sys_seconds end;
  bool operator==(const Timed&) const = default;
};
/// [start, end) in the wall-clock time of whoever reads it (RFC 5545, 3.3.5, form 1).
struct Floating {
  date::local_seconds start;
  date::local_seconds end;
  bool operator==(const Floating&) const = default;
};
using Occurrence = std::variant<AllDay, Timed, Floating>;

struct CalendarEvent {
  std::string summary;                  ///< UTF-8, one line; may be empty
  std::vector<std::string> categories;  ///< UTF-8
  Source source;                        ///< of its BEGIN:VEVENT
  std::vector<Occurrence> occurrences;  ///< recurrences written out, in the order of time
  bool operator==(const CalendarEvent&) const = default;
};

/// The years that recurrences are written out for; what an event has before or after is left out.
inline constexpr int first_calendar_year = 1970;
inline constexpr int last_calendar_year = 2037;

/// Reads an iCalendar file (RFC 5545): events that are not cancelled. `end` says how DTEND of all-day events is meant; by_evidence
/// warns once where ends are read as inclusive, and where dates contradict each other. What cannot be read is an error
/// with its line.
[[nodiscard]] std::vector<CalendarEvent> read_calendar(std::string_view text, const std::string& file, EventEnd end,
                                                       Diagnostics& out);

}  // namespace schultor::config
