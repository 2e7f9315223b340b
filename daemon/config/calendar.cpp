// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/calendar.hpp"

#include "daemon/config/calendar_event.hpp"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <utility>

namespace schultor::config {
namespace {

constexpr std::string_view settle = "settle it with end = \"inclusive\" or end = \"exclusive\" in the calendar's entry";

bool is_cancellation(const CalendarText& calendar) {
  for (const auto& line : calendar.calendar.lines) {
    if (line.name == "METHOD" && in_capitals(plain_value(line)) == "CANCEL") return true;
  }
  return false;
}

bool is_bare(const EventText& event) { return event.start.value.bare || (event.end && event.end->value.bare); }

/// What a feed's own dates say about its ends. A date without VALUE=DATE speaks for its event alone; how the ends with VALUE=DATE
/// are meant, the feed's single days show.
class Evidence {
public:
  void see(const EventText& event) {
    if (event.cancelled || !event.end || !event.start.value.is_date) return;
    const auto first = date::floor<date::days>(event.start.value.local);
    const auto end = date::floor<date::days>(event.end->value.local);
    if (!bare_ && event.start.value.bare) bare_ = {text("DTSTART", first), event.start.line};
    if (!bare_ && event.end->value.bare) bare_ = {text("DTEND", end), event.end->line};
    if (is_bare(event)) return;
    if (!equal_ && end == first) equal_ = {text("DTEND;VALUE=DATE", end), event.end->line};
    if (!next_ && end == first + date::days(1)) next_ = {text("DTEND;VALUE=DATE", end), event.end->line};
  }

  /// Whether the event's end is its last day.
  [[nodiscard]] bool is_inclusive(const EventText& event) const { return is_bare(event) || (equal_ && !next_); }

  void tell(const std::string& file, Diagnostics& out) const {
    if (bare_)
      out.warning(
          {file, bare_->line, 0},
          fmt::format("the ends of all-day events are read as their last days where a date is written without VALUE=DATE as "
                      "here (“{}”), which no RFC 5545 calendar does; {}",
                      bare_->value, settle));
    if (equal_ && next_)
      out.warning(
          {file, equal_->line, 0},
          fmt::format("the ends of all-day events with VALUE=DATE are read as the days after them, but the calendar contradicts "
                      "itself: a single day ends on that day here (“{}”), and on the next one at {}:{} (“{}”); {}",
                      equal_->value, file, next_->line, next_->value, settle));
    else if (equal_)
      out.warning(
          {file, equal_->line, 0},
          fmt::format("the ends of all-day events with VALUE=DATE are read as their last days, since “{}” ends an event on the "
                      "day that it begins on; {}",
                      equal_->value, settle));
  }

private:
  static std::string text(std::string_view name, date::local_days day) {
    return fmt::format("{}:{}", name, date::format("%Y%m%d", day));
  }

  std::optional<Lined<std::string>> bare_;   ///< a date without VALUE=DATE
  std::optional<Lined<std::string>> equal_;  ///< with VALUE=DATE: an end on the day of the start
  std::optional<Lined<std::string>> next_;   ///< with VALUE=DATE: an end on the day after it
};

class CalendarReader {
public:
  CalendarReader(const std::string& file, EventEnd end, Diagnostics& out) : file_(file), end_(end), out_(out) {}

  void read(std::vector<CalendarText> calendars) {
    calendars_ = std::move(calendars);
    zones_.reserve(calendars_.size());
    for (std::size_t i = 0; i < calendars_.size(); ++i) {
      zones_.emplace_back(calendars_[i], file_, budget_, out_);
      if (is_cancellation(calendars_[i])) continue;
      for (const auto& component : calendars_[i].events)
        if (auto event = read_event(component, file_, out_)) events_.push_back({*std::move(event), i});
    }
  }

  std::vector<CalendarEvent> finish() {
    const auto evidence = see_evidence();
    // Changed and cancelled instances take the place of the rule's own.
    for (const auto& [event, calendar] : events_) {
      if (!event.replaces || event.uid.empty()) continue;
      const auto& [stamp, line] = *event.replaces;
      const Zone* zone = stamp.utc ? &Zones::utc() : stamp.tzid.empty() ? nullptr : zones_[calendar].find(stamp.tzid, line);
      replaced_[event.uid].add(stamp, zone);
    }
    std::vector<CalendarEvent> result;
    for (auto& [event, calendar] : events_) {
      if (event.cancelled) continue;
      const auto replaced = replaced_.find(event.uid);
      const bool whole = !event.replaces && replaced != replaced_.end();
      const bool inclusive = end_ == EventEnd::by_evidence ? evidence.is_inclusive(event) : end_ == EventEnd::inclusive;
      work_out(event, inclusive, whole ? &replaced->second : nullptr, zones_[calendar], budget_, out_);
      if (!event.event.occurrences.empty()) result.push_back(std::move(event.event));
    }
    return result;
  }

  [[nodiscard]] bool empty() const { return events_.empty(); }

private:
  struct Placed {
    EventText event;
    std::size_t calendar;
  };

  [[nodiscard]] Evidence see_evidence() const {
    Evidence evidence;
    for (const auto& one : events_) evidence.see(one.event);
    if (end_ == EventEnd::by_evidence) evidence.tell(file_, out_);
    return evidence;
  }

  const std::string& file_;
  EventEnd end_;
  Diagnostics& out_;
  Budget budget_;
  std::vector<CalendarText> calendars_;
  std::vector<Zones> zones_;
  std::vector<Placed> events_;
  std::map<std::string, Exceptions> replaced_;
};

}  // namespace

std::vector<CalendarEvent> read_calendar(std::string_view text, const std::string& file, EventEnd end, Diagnostics& out) {
  Diagnostics own;
  CalendarReader reader(file, end, own);
  reader.read(split_calendars(text, file, own));
  auto events = reader.finish();
  if (events.empty() && !own.has_errors())
    own.warning({file, 0, 0}, reader.empty() ? std::string("the calendar holds no events")
                                             : fmt::format("the calendar holds no events from {} to {}", first_calendar_year,
                                                           last_calendar_year));
  out.append(std::move(own).take());
  release_ical_memory();
  return events;
}

}  // namespace schultor::config
