// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/calendar_event.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace schultor::config {
namespace {

/// A day that moves with Easter stays within Easter's year.
constexpr int first_easter_offset = -80;
constexpr int last_easter_offset = 250;

class EventReader {
public:
  EventReader(const CalendarComponent& component, const std::string& file, Diagnostics& out)
      : component_(component), file_(file), out_(out) {
    text_.event.source = {file, component.line, 0};
  }

  std::optional<EventText> read() {
    for (const auto& line : component_.lines) property(line);
    if (!failed_) check();
    if (failed_) return std::nullopt;
    return std::move(text_);
  }

private:
  void error(int line, const std::string& text) {
    out_.error({file_, line, 0}, text);
    failed_ = true;
  }

  void property(const ContentLine& line) {
    if (line.name == "SUMMARY") {
      auto texts = read_texts(line);
      if (text_.event.summary.empty() && !texts.empty()) text_.event.summary = std::move(texts.front());
    } else if (line.name == "CATEGORIES") {
      for (auto& one : read_texts(line)) text_.event.categories.push_back(std::move(one));
    } else if (line.name == "UID") {
      text_.uid = line.text.substr(line.text.find(':') + 1);
    } else if (line.name == "STATUS") {
      text_.cancelled = in_capitals(plain_value(line)) == "CANCELLED";
    } else if (line.name == "X-SCHULTOR-EASTER") {
      easter(line);
    } else {
      time_property(line);
    }
  }

  void time_property(const ContentLine& line) {
    if (line.name == "DTSTART") {
      start(line);
    } else if (line.name == "DTEND") {
      text_.end = once(line, text_.end.has_value());
    } else if (line.name == "RECURRENCE-ID") {
      text_.replaces = once(line, text_.replaces.has_value());
      if (has_range(line))
        error(line.line, "RECURRENCE-ID with RANGE is not read: expected the changed events one by one, or a rule of their own");
    } else if (line.name == "DURATION") {
      if (text_.length) return twice(line);
      if (const auto length = value(line, read_length(plain_value(line)))) text_.length = {*length, line.line};
    } else if (line.name == "RRULE") {
      if (auto rule = value(line, read_rule(plain_value(line)))) text_.rules.push_back({*std::move(rule), line.line});
    } else if (line.name == "EXRULE") {
      error(line.line, "EXRULE is not read (RFC 5545 knows it no more): expected EXDATE");
    } else if (line.name == "RDATE") {
      if (auto periods = value(line, read_periods(line)))
        for (auto& one : *periods) text_.further.push_back({std::move(one), line.line});
    } else if (line.name == "EXDATE") {
      if (auto stamps = value(line, read_stamps(line)))
        for (auto& one : *stamps) text_.exceptions.push_back({std::move(one), line.line});
    }
  }

  template <typename T>
  std::optional<T> value(const ContentLine& line, base::Result<T> result) {
    if (result) return *std::move(result);
    error(line.line, result.error().what());
    return std::nullopt;
  }

  void twice(const ContentLine& line) { error(line.line, fmt::format("{} stands twice in one event", line.name)); }

  std::optional<Lined<Stamp>> once(const ContentLine& line, bool there) {
    if (there) {
      twice(line);
      return std::nullopt;
    }
    auto stamps = value(line, read_stamps(line));
    if (stamps && stamps->size() > 1) error(line.line, fmt::format("{} holds {} dates, expected one", line.name, stamps->size()));
    if (!stamps) return std::nullopt;
    return Lined<Stamp>{stamps->front(), line.line};
  }

  void start(const ContentLine& line) {
    auto stamp = once(line, text_.start.line != 0);
    if (stamp) text_.start = *std::move(stamp);
  }

  void easter(const ContentLine& line) {
    auto text = plain_value(line);
    if (!text.empty() && text.front() == '+') text.remove_prefix(1);
    int days = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), days);
    if (fault != std::errc{} || end != text.data() + text.size() || days < first_easter_offset || days > last_easter_offset)
      return error(line.line,
                   fmt::format("X-SCHULTOR-EASTER: “{}” is no number of days after Easter Sunday, expected one from {} to {}",
                               shortened(text), first_easter_offset, last_easter_offset));
    text_.easter = {days, line.line};
  }

  void check() {
    const auto& start = text_.start;
    if (start.line == 0) return error(component_.line, "an event without DTSTART: expected the day or time that it begins at");
    if (text_.end && text_.length) return error(text_.length->line, "DURATION beside DTEND: expected one of them");
    if (text_.end && text_.end->value.is_date != start.value.is_date)
      return error(text_.end->line, start.value.is_date ? "DTEND is a time where DTSTART is a day, expected both alike"
                                                        : "DTEND is a day where DTSTART is a time, expected both alike");
    if (start.value.is_date)
      for (const auto& rule : text_.rules)
        if (rule.value.finer_than_days)
          error(rule.line, "a rule of hours in an event of whole days, expected FREQ=DAILY or coarser");
    if (text_.easter) check_easter();
  }

  void check_easter() {
    if (!text_.rules.empty())
      return error(text_.rules.front().line, "RRULE beside X-SCHULTOR-EASTER: expected one of them, it recurs each year by itself");
    const auto day = date::floor<date::days>(text_.start.value.local);
    const int year = static_cast<int>(date::year_month_day(day).year());
    if (year < 1583) return error(text_.start.line, "DTSTART is before 1583, the first year of the Gregorian calendar's Easter");
    const auto expected = easter_sunday(year) + date::days(text_.easter->value);
    if (day != expected)
      error(text_.start.line, fmt::format("DTSTART is not {} days after Easter Sunday as X-SCHULTOR-EASTER says, expected {}",
                                          text_.easter->value, date::format("%Y%m%d", expected)));
  }

  const CalendarComponent& component_;
  const std::string& file_;
  Diagnostics& out_;
  EventText text_;
  bool failed_ = false;
};

}  // namespace

std::optional<EventText> read_event(const CalendarComponent& component, const std::string& file, Diagnostics& out) {
  return EventReader(component, file, out).read();
}

/// The anonymous Gregorian computus, as Meeus gives it (Astronomical Algorithms, chapter 8).
date::local_days easter_sunday(int year) {
  const int a = year % 19;
  const int b = year / 100;
  const int c = year % 100;
  const int d = b / 4;
  const int e = b % 4;
  const int f = (b + 8) / 25;
  const int g = (b - f + 1) / 3;
  const int h = (19 * a + b - d - g + 15) % 30;
  const int i = c / 4;
  const int k = c % 4;
  const int l = (32 + 2 * e + 2 * i - h - k) % 7;
  const int m = (a + 11 * h + 22 * l) / 451;
  const int n = h + l - 7 * m + 114;
  return date::local_days(date::year(year) / date::month(static_cast<unsigned>(n / 31)) /
                          date::day(static_cast<unsigned>(n % 31 + 1)));
}

}  // namespace schultor::config
