// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/calendar_text.hpp"

#include "daemon/base/text.hpp"
#include "daemon/config/encoding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace schultor::config {
namespace {

constexpr std::size_t deepest_nesting = 16;
constexpr std::size_t longest_line = 65'536;
constexpr std::size_t most_lines = 500'000;  ///< of those that are kept

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The name that a content line begins with, in capitals; empty where there is none.
std::string name_of(std::string_view line) {
  const auto end = line.find_first_of(";:");
  if (end == std::string_view::npos) return {};
  const auto name = line.substr(0, end);
  const bool fine = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
  return fine ? in_capitals(name) : std::string{};
}

enum class Kind : std::uint8_t { calendar, event, zone, observance, other };

bool reads(Kind kind, std::string_view name) {
  constexpr std::array<std::string_view, 12> of_event{"SUMMARY",  "CATEGORIES", "STATUS", "UID",    "DTSTART",       "DTEND",
                                                      "DURATION", "RRULE",      "RDATE",  "EXDATE", "RECURRENCE-ID", "EXRULE"};
  constexpr std::array<std::string_view, 5> of_observance{"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"};
  const auto among = [&](const auto& names) { return std::find(names.begin(), names.end(), name) != names.end(); };
  switch (kind) {
    case Kind::calendar:
      return name == "METHOD";
    case Kind::event:
      return among(of_event) || name == "X-SCHULTOR-EASTER";
    case Kind::zone:
      return name == "TZID";
    case Kind::observance:
      return among(of_observance);
    case Kind::other:
      break;
  }
  return false;
}

class Splitter {
public:
  Splitter(const std::string& file, Diagnostics& out) : file_(file), out_(out) {}

  void physical_line(std::string_view text) {
    ++number_;
    if (text.empty() || broken_) return;
    if (text.front() == ' ' || text.front() == '\t') {
      if (line_begins_ == 0 && !trim(text).empty()) return no_calendar();
      text.remove_prefix(1);
    } else {
      end_line();
      line_begins_ = number_;
    }
    const auto room = longest_line - std::min(line_.size(), longest_line);
    too_long_ = too_long_ || text.size() > room;
    line_.append(text.substr(0, room));
  }

  std::vector<CalendarText> finish() {
    end_line();
    // An event that was cut off would only be found wanting once more.
    for (const auto& one : open_)
      if (one.kind == Kind::event) calendars_.back().events.pop_back();
    if (broken_) return std::move(calendars_);
    if (!open_.empty())
      error(number_, fmt::format("the file ends within the {} of line {}: it was cut off, and what is missing may be holidays; "
                                 "expected END:{}",
                                 open_.back().name, open_.back().line, open_.back().name));
    else if (calendars_.empty()) no_calendar();
    return std::move(calendars_);
  }

private:
  struct Open {
    Kind kind;
    std::string name;
    int line;
  };

  void error(int line, const std::string& text) {
    out_.error({file_, line, 0}, text);
    broken_ = true;
  }
  void no_calendar() {
    if (calendars_.empty()) error(number_ > 0 ? 1 : 0, "this is no iCalendar file: expected BEGIN:VCALENDAR in the first line");
    else error(line_begins_, "text outside of BEGIN:VCALENDAR … END:VCALENDAR");
  }

  void end_line() {
    if (line_begins_ != 0 && !broken_) content_line();
    line_.clear();
    too_long_ = false;
  }

  void content_line() {
    if (trim(line_).empty()) return;
    const auto name = name_of(line_);
    if (name == "BEGIN") return begin(component_name());
    if (name == "END") return end(component_name());
    if (open_.empty()) return no_calendar();
    if (name.empty()) return stray_line();
    if (!reads(open_.back().kind, name)) return;
    if (too_long_) return error(line_begins_, fmt::format("{} of more than {} characters", name, longest_line));
    if (++kept_ > most_lines)
      return error(line_begins_, fmt::format("more than {} lines to be read: split the calendar", most_lines));
    keep({line_begins_, name, line_});
  }

  /// What BEGIN or END names, in capitals and fit to be quoted.
  [[nodiscard]] std::string component_name() const {
    auto name = in_capitals(trim(std::string_view(line_).substr(line_.find(':') + 1)).substr(0, longest_excerpt));
    for (auto& c : name)
      if (c < 0x20 || c > 0x7e) c = '?';
    return name;
  }

  /// Other programs pass them over as well: most often it is the rest of a description whose line was not folded.
  void stray_line() {
    if (!warned_of_stray_)
      out_.warning({file_, line_begins_, 0}, "this is no iCalendar property (NAME:VALUE); it and others like it are passed over");
    warned_of_stray_ = true;
  }

  void keep(ContentLine line) {
    if (!base::is_utf8(line.text)) {
      if (!warned_of_encoding_)
        out_.warning({file_, line.line, 0}, "the text is not in UTF-8 and was read as Windows-1252: save the file as UTF-8");
      warned_of_encoding_ = true;
      line.text = utf8_from_windows_1252(line.text);
    }
    component(open_.back().kind).lines.push_back(std::move(line));
  }

  CalendarComponent& component(Kind kind) {
    auto& calendar = calendars_.back();
    if (kind == Kind::event) return calendar.events.back();
    if (kind == Kind::zone) return calendar.zones.back().zone;
    if (kind == Kind::observance) return calendar.zones.back().observances.back();
    return calendar.calendar;
  }

  void begin(std::string name) {
    if (open_.empty() != (name == "VCALENDAR"))
      return open_.empty() ? no_calendar()
                           : error(line_begins_, fmt::format("BEGIN:VCALENDAR within the {} of line {}, expected END:{} first",
                                                             open_.back().name, open_.back().line, open_.back().name));
    if (open_.size() >= deepest_nesting)
      return error(line_begins_, fmt::format("components nested more than {} deep", deepest_nesting));
    const auto within = open_.empty() ? Kind::other : open_.back().kind;
    auto kind = Kind::other;
    if (open_.empty()) {
      kind = Kind::calendar;
      calendars_.emplace_back();
    } else if (within == Kind::calendar && name == "VEVENT") {
      kind = Kind::event;
      if (++events_ > most_calendar_events)
        return error(line_begins_,
                     fmt::format("more than {} events: keep those that are holidays, or split the calendar", most_calendar_events));
      calendars_.back().events.emplace_back();
    } else if (within == Kind::calendar && name == "VTIMEZONE") {
      kind = Kind::zone;
      calendars_.back().zones.emplace_back();
    } else if (within == Kind::zone && (name == "STANDARD" || name == "DAYLIGHT")) {
      kind = Kind::observance;
      calendars_.back().zones.back().observances.emplace_back();
    }
    if (++components_ > most_lines) return error(line_begins_, fmt::format("more than {} components", most_lines));
    open_.push_back({kind, std::move(name), line_begins_});
    if (kind != Kind::other) component(kind).line = line_begins_;
  }

  void end(const std::string& name) {
    if (open_.empty()) return no_calendar();
    if (name != open_.back().name)
      return error(line_begins_, fmt::format("END:{} where the {} of line {} is still open, expected END:{}", name,
                                             open_.back().name, open_.back().line, open_.back().name));
    open_.pop_back();
  }

  const std::string& file_;
  Diagnostics& out_;
  int number_ = 0;       ///< of the physical line
  int line_begins_ = 0;  ///< the content line that is being gathered, 0 before the first
  std::string line_;
  bool too_long_ = false;
  bool broken_ = false;
  bool warned_of_stray_ = false;
  bool warned_of_encoding_ = false;
  std::size_t kept_ = 0;
  std::size_t events_ = 0;
  std::size_t components_ = 0;
  std::vector<Open> open_;
  std::vector<CalendarText> calendars_;
};

}  // namespace

std::vector<CalendarText> split_calendars(std::string_view text, const std::string& file, Diagnostics& out) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.substr(0, byte_order_mark.size()) == byte_order_mark) text.remove_prefix(byte_order_mark.size());
  if (text.find('\0') != std::string_view::npos) {
    out.error({file, 0, 0}, "this is no text in UTF-8 (it holds zero bytes, as UTF-16 does): save the calendar as UTF-8");
    return {};
  }
  Splitter splitter(file, out);
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of("\r\n"), text.size());
    splitter.physical_line(text.substr(0, end));
    const bool both = text.substr(end, 2) == "\r\n";
    text.remove_prefix(std::min(end + (both ? 2 : 1), text.size()));
  }
  return splitter.finish();
}

std::string_view plain_value(const ContentLine& line) {
  const std::string_view text = line.text;
  const auto colon = text.rfind(':');
  return colon == std::string_view::npos ? std::string_view{} : trim(text.substr(colon + 1));
}

std::vector<std::string_view> split_at(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<int> digits(std::string_view text, std::size_t least, std::size_t most) {
  if (text.size() < least || text.size() > most) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
  return value;
}

std::string in_capitals(std::string_view text) {
  std::string result(text);
  for (auto& c : result)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  return result;
}

std::string_view shortened(std::string_view text) {
  text = text.substr(0, longest_excerpt);
  // Not within a character.
  if (text.size() == longest_excerpt)
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80U) != 0) text.remove_suffix(1);
  return text;
}

}  // namespace schultor::config
