// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/calendar.hpp"
#include "daemon/config/calendar_ical.hpp"
#include "daemon/config/calendar_text.hpp"
#include "daemon/config/calendar_zone.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace schultor::config {

template <typename T>
struct Lined {
  T value;
  int line = 0;
};

/// A VEVENT as written: nothing of it is worked out yet.
struct EventText {
  CalendarEvent event;  ///< without occurrences
  std::string uid;
  bool cancelled = false;
  Lined<Stamp> start;
  std::optional<Lined<Stamp>> end;
  std::optional<Lined<Length>> length;
  std::optional<Lined<Stamp>> replaces;  ///< RECURRENCE-ID
  std::vector<Lined<Rule>> rules;
  std::vector<Lined<Period>> further;    ///< RDATE
  std::vector<Lined<Stamp>> exceptions;  ///< EXDATE
  std::optional<Lined<int>> easter;      ///< X-SCHULTOR-EASTER
};

/// Reads a VEVENT; none where that failed, with its errors in `out`.
[[nodiscard]] std::optional<EventText> read_event(const CalendarComponent& component, const std::string& file, Diagnostics& out);

/// Instances of a recurring event that are not to be, by their starts.
struct Exceptions {
  std::set<date::local_days> dates;
  std::set<date::local_seconds> local;
  std::set<std::chrono::sys_seconds> instants;

  void add(const Stamp& stamp, const Zone* zone);
};

/// Sets the event's occurrences: in order, clipped to the years that are read. `inclusive`: DTEND is the last of its days;
/// `replaced` (may be null): instances that other events stand for.
void work_out(EventText& event, bool inclusive, const Exceptions* replaced, Zones& zones, Budget& budget, Diagnostics& out);

/// Easter Sunday of the Gregorian calendar.
[[nodiscard]] date::local_days easter_sunday(int year);

}  // namespace schultor::config
