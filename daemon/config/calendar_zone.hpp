// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/calendar_ical.hpp"
#include "daemon/config/calendar_text.hpp"

#include <date/tz.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace schultor::config {

/// A time zone: one of the tz database, or what a VTIMEZONE says.
class Zone {
public:
  /// From `at` on, `offset` from UTC holds; before, it was `before`.
  struct Change {
    std::chrono::sys_seconds at;
    std::chrono::seconds before;
    std::chrono::seconds offset;
  };

  explicit Zone(const date::time_zone* known) : rules_(known) {}
  /// `changes` in the order of time, one at least.
  explicit Zone(std::vector<Change> changes) : rules_(std::move(changes)) {}

  /// A time that occurs twice is the first of them; one that is skipped is taken with the offset before it (RFC 5545, 3.3.5).
  [[nodiscard]] std::chrono::sys_seconds to_sys(date::local_seconds local) const;
  [[nodiscard]] date::local_seconds to_local(std::chrono::sys_seconds at) const;

private:
  [[nodiscard]] std::chrono::seconds offset_at(std::chrono::sys_seconds at) const;

  std::variant<const date::time_zone*, std::vector<Change>> rules_;
};

/// The zones that a calendar's TZIDs mean: those of its own VTIMEZONEs, else of the tz database.
class Zones {
public:
  Zones(const CalendarText& calendar, const std::string& file, Budget& budget, Diagnostics& out);

  /// Null where none is known, with a warning at the line of its first use.
  [[nodiscard]] const Zone* find(const std::string& tzid, int line);
  [[nodiscard]] static const Zone& utc();

private:
  [[nodiscard]] std::optional<Zone> own(const ZoneComponent& component) const;

  const CalendarText& calendar_;
  const std::string& file_;
  Budget& budget_;
  Diagnostics& out_;
  std::map<std::string, const ZoneComponent*> components_;
  std::map<std::string, std::optional<Zone>> found_;
};

}  // namespace schultor::config
