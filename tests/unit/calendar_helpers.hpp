// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/calendar.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

/// Calendars as text, and what is read of them as text.
namespace calendar_helpers {

using Lines = std::vector<std::string>;

inline std::string event(std::initializer_list<std::string_view> lines) {
  std::string text = "BEGIN:VEVENT\r\n";
  for (const auto line : lines) text.append(line).append("\r\n");
  return text + "END:VEVENT\r\n";
}

inline std::string calendar(std::string_view content) {
  return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + std::string(content) + "END:VCALENDAR\r\n";
}

/// "2026-03-30..2026-04-10" (days), "2026-03-30T08:00..2026-03-30T09:00Z" (instants), the same without Z (floating).
inline std::string to_string(const schultor::config::Occurrence& occurrence) {
  using namespace schultor::config;
  if (const auto* days = std::get_if<AllDay>(&occurrence))
    return days->first == days->last ? date::format("%F", days->first)
                                     : date::format("%F", days->first) + ".." + date::format("%F", days->last);
  if (const auto* timed = std::get_if<Timed>(&occurrence))
    return date::format("%FT%R", timed->start) + ".." + date::format("%FT%R", timed->end) + "Z";
  const auto& floating = std::get<Floating>(occurrence);
  return date::format("%FT%R", floating.start) + ".." + date::format("%FT%R", floating.end);
}

struct Reading {
  std::vector<schultor::config::CalendarEvent> events;
  Lines faults;       ///< "a.ics:3: error: …"
  Lines occurrences;  ///< of all events, one after the other

  [[nodiscard]] bool says(std::string_view start, std::string_view part = {}) const {
    for (const auto& fault : faults)
      if (fault.starts_with(start) && fault.find(part) != std::string::npos) return true;
    return false;
  }
};

inline Reading read(std::string_view text, schultor::config::EventEnd end = schultor::config::EventEnd::by_evidence) {
  Reading reading;
  schultor::config::Diagnostics out;
  reading.events = schultor::config::read_calendar(text, "a.ics", end, out);
  for (const auto& one : reading.events)
    for (const auto& occurrence : one.occurrences) reading.occurrences.push_back(to_string(occurrence));
  for (const auto& one : std::move(out).take()) reading.faults.push_back(schultor::config::to_string(one));
  return reading;
}

/// The occurrences of a calendar of one event that is read without a word.
inline Lines occurrences(std::initializer_list<std::string_view> lines, std::string_view before = {}) {
  const auto reading = read(calendar(std::string(before) + event(lines)));
  return reading.faults.empty() ? reading.occurrences : reading.faults;
}

/// What is said of a calendar of one event.
inline Lines faults(std::initializer_list<std::string_view> lines) { return read(calendar(event(lines))).faults; }

}  // namespace calendar_helpers
