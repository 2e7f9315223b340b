// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// Any octets as a calendar. What is read of it is in order, within the years that are read, and printable.
#include "daemon/base/text.hpp"
#include "daemon/config/calendar.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace schultor;
using namespace schultor::config;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void require_printable(std::string_view text) {
  require(base::is_utf8(text));
  require(std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; }));
}

constexpr auto first_day = date::local_days(date::year(first_calendar_year) / 1 / 1);
constexpr auto day_after_last = date::local_days(date::year(last_calendar_year + 1) / 1 / 1);

struct Bounds {
  void operator()(const AllDay& days) const {
    require(first_day <= days.first && days.first <= days.last && days.last < day_after_last);
  }
  template <typename T>
  void operator()(const T& times) const {
    require(times.start <= times.end);
    require(times.start.time_since_epoch() >= first_day.time_since_epoch());
    require(times.end.time_since_epoch() <= day_after_last.time_since_epoch());
  }
};

bool in_order(const Occurrence& a, const Occurrence& b) {
  if (a.index() != b.index()) return false;
  if (const auto* days = std::get_if<AllDay>(&a)) return days->first <= std::get<AllDay>(b).first;
  if (const auto* timed = std::get_if<Timed>(&a)) return timed->start <= std::get<Timed>(b).start;
  return std::get<Floating>(a).start <= std::get<Floating>(b).start;
}

struct Reading {
  std::vector<CalendarEvent> events;
  std::vector<Diagnostic> diagnostics;
};

Reading read(std::string_view text, EventEnd end) {
  Diagnostics out;
  Reading reading;
  reading.events = read_calendar(text, "a.ics", end, out);
  reading.diagnostics = std::move(out).take();
  return reading;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lines = 1 + std::count_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; });
  const auto reading = read(text, EventEnd::by_evidence);
  std::size_t occurrences = 0;
  for (const auto& event : reading.events) {
    require_printable(event.summary);
    for (const auto& category : event.categories) require_printable(category);
    require(event.source.line > 0 && event.source.line <= lines && !event.occurrences.empty());
    for (const auto& one : event.occurrences) std::visit(Bounds{}, one);
    for (std::size_t i = 1; i < event.occurrences.size(); ++i) require(in_order(event.occurrences[i - 1], event.occurrences[i]));
    occurrences += event.occurrences.size();
  }
  require(occurrences <= 200'000);
  for (const auto& one : reading.diagnostics) {
    require(one.line >= 0 && one.line <= lines);
    require_printable(to_string(one));
  }
  // Something is either read or told of.
  require(!reading.events.empty() || !reading.diagnostics.empty());
  // Evidence decides for one of the two readings of its end, and for nothing beside them.
  const auto exclusive = read(text, EventEnd::exclusive).events;
  const auto inclusive = read(text, EventEnd::inclusive).events;
  const auto in = [](const std::vector<CalendarEvent>& events, const CalendarEvent& one) {
    return std::find(events.begin(), events.end(), one) != events.end();
  };
  for (const auto& event : reading.events) require(in(exclusive, event) || in(inclusive, event));
  return 0;
}
