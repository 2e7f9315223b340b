// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/diagnostic.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The lines of an iCalendar file, before anyone asks what they mean: unfolded, in UTF-8, with their numbers, sorted into the
/// components that concern us. Everything else (to-dos, alarms, attachments) is passed over here and never reaches a library.
namespace schultor::config {

/// A content line (RFC 5545, 3.1) of a property that we read.
struct ContentLine {
  int line = 0;      ///< that it begins at
  std::string name;  ///< of the property, in capitals
  std::string text;  ///< the whole of it: NAME;PARAMETER=…:VALUE
};

struct CalendarComponent {
  int line = 0;  ///< of its BEGIN
  std::vector<ContentLine> lines;
};

struct ZoneComponent {
  CalendarComponent zone;
  std::vector<CalendarComponent> observances;  ///< STANDARD and DAYLIGHT
};

/// A VCALENDAR.
struct CalendarText {
  CalendarComponent calendar;
  std::vector<CalendarComponent> events;
  std::vector<ZoneComponent> zones;
};

inline constexpr std::size_t most_calendar_events = 20'000;

/// Splits a file; what is wrong with its structure (cut off, no calendar at all) is an error, and what comes after it is not read.
[[nodiscard]] std::vector<CalendarText> split_calendars(std::string_view text, const std::string& file, Diagnostics& out);

/// What stands after the colon that ends the name and its parameters, without spaces around it. For values that hold no colon.
[[nodiscard]] std::string_view plain_value(const ContentLine& line);

[[nodiscard]] std::vector<std::string_view> split_at(std::string_view text, char separator);
/// A number of `least` to `most` decimal digits and nothing else.
[[nodiscard]] std::optional<int> digits(std::string_view text, std::size_t least, std::size_t most);
[[nodiscard]] std::string in_capitals(std::string_view text);
/// As much of a text as a message quotes.
[[nodiscard]] std::string_view shortened(std::string_view text);
inline constexpr std::size_t longest_excerpt = 60;

}  // namespace schultor::config
