// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/window.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <string>

namespace schultor::config {
namespace {

constexpr std::uint8_t every_day = 0x7f;
constexpr std::chrono::minutes midnight{24 * 60};
constexpr std::string_view expected = "expected one such as “Mon..Fri 08:00-17:00”, “Mon,Wed..Fri 07:45-12:30” or “09:00-13:00”";

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<unsigned> parse_day(std::string_view text) {
  constexpr std::array<std::string_view, 7> names{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  for (unsigned i = 0; i < names.size(); ++i)
    if (text == names[i]) return i;
  return std::nullopt;
}

/// The day that somebody may mean: by another case, more or fewer letters, or in German.
std::optional<std::string_view> meant_day(std::string_view text) {
  struct Names {
    std::string_view day;
    std::string_view english;
    std::string_view german;
  };
  constexpr std::array<Names, 7> week{{{"Mon", "monday", "montag"},
                                       {"Tue", "tuesday", "dienstag"},
                                       {"Wed", "wednesday", "mittwoch"},
                                       {"Thu", "thursday", "donnerstag"},
                                       {"Fri", "friday", "freitag"},
                                       {"Sat", "saturday", "samstag"},
                                       {"Sun", "sunday", "sonntag"}}};
  if (text.size() < 2) return std::nullopt;
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  for (const auto& names : week)
    if (names.english.starts_with(lower) || names.german.starts_with(lower)) return names.day;
  return std::nullopt;
}

/// "; did you mean …?" where that can be told of a day or a range.
std::string meant_days(std::string_view item) {
  const auto dots = item.find("..");
  const auto first = meant_day(trim(item.substr(0, dots)));
  const auto last = dots == std::string_view::npos ? first : meant_day(trim(item.substr(dots + 2)));
  if (!first || !last) return {};
  const auto meant = dots == std::string_view::npos ? std::string(*first) : std::string(*first) + ".." + std::string(*last);
  return "; did you mean “" + meant + "”?";
}

base::Result<std::uint8_t> parse_days(std::string_view text) {
  unsigned days = 0;
  for (bool more = true; more;) {
    const auto comma = text.find(',');
    const auto item = trim(text.substr(0, comma));
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
    const auto dots = item.find("..");
    const auto first = parse_day(trim(item.substr(0, dots)));
    const auto last = dots == std::string_view::npos ? first : parse_day(trim(item.substr(dots + 2)));
    if (!first || !last)
      return base::fail("“{}” names no days: expected Mon, Tue, Wed, Thu, Fri, Sat, Sun, a list or a range such as Mon..Fri{}",
                        item, meant_days(item));
    for (unsigned day = *first;; day = (day + 1) % 7) {
      days |= 1U << day;
      if (day == *last) break;
    }
  }
  return static_cast<std::uint8_t>(days);
}

/// "HH:MM", up to 24:00.
std::optional<std::chrono::minutes> parse_time(std::string_view text) {
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : 100; };
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const int hours = digit(0) * 10 + digit(1);
  const int minutes = digit(3) * 10 + digit(4);
  const std::chrono::minutes time{hours * 60 + minutes};
  if (hours > 24 || minutes > 59 || time > midnight) return std::nullopt;
  return time;
}

/// Numbers, each with one of `units`, in their order and each once.
std::optional<std::chrono::seconds> parse_span(std::string_view text, std::string_view units, std::chrono::hours longest) {
  std::chrono::seconds sum{0};
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    std::uint32_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || end == text.data() + text.size() || end == text.data()) return std::nullopt;
    const auto unit = units.find(*end);
    if (unit == std::string_view::npos) return std::nullopt;
    sum += count * (*end == 'd'   ? std::chrono::seconds(std::chrono::hours(24))
                    : *end == 'h' ? std::chrono::seconds(std::chrono::hours(1))
                                  : std::chrono::seconds(std::chrono::minutes(1)));
    units.remove_prefix(unit + 1);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  }
  if (sum <= std::chrono::seconds{0} || sum > longest) return std::nullopt;
  return sum;
}

}  // namespace

base::Result<Window> parse_window(std::string_view text, Source source) {
  const auto trimmed = trim(text);
  const auto space = trimmed.find_last_of(" \t");
  const auto span = space == std::string_view::npos ? trimmed : trimmed.substr(space + 1);
  const auto dash = span.find('-');
  if (dash == std::string_view::npos) return base::fail("“{}” is no window: {}", text, expected);
  const auto start = parse_time(span.substr(0, dash));
  const auto end = parse_time(span.substr(dash + 1));
  if (!start || !end) return base::fail("“{}” has no span of time: expected one such as 08:00-17:00, from 00:00 to 24:00", text);
  if (*start == midnight) return base::fail("“{}” starts at 24:00: write 00:00 on the day after", text);
  if (*start == *end) return base::fail("“{}” ends as it starts: write 00:00-24:00 for a whole day, or leave the window out", text);

  Window window{every_day, *start, *end, std::string(trimmed), std::move(source)};
  if (space != std::string_view::npos) {
    auto days = parse_days(trimmed.substr(0, space));
    if (!days) return base::pass(std::move(days));
    window.weekdays = *days;
  }
  return window;
}

base::Result<Window> parse_day_window(std::string_view text, Source source) {
  auto window = parse_window(text, std::move(source));
  if (window && window->text.find_first_of(" \t") != std::string::npos)
    return base::fail("“{}” names days, and the date says which it is: expected a window such as “09:00-13:00”", text);
  return window;
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  return parse_span(text, "hm", std::chrono::hours(100 * 24));
}

std::optional<std::chrono::seconds> parse_age(std::string_view text) {
  return parse_span(text, "dhm", std::chrono::hours(366 * 24));
}

std::optional<date::local_days> parse_date(std::string_view text) {
  constexpr int first_year = 1970;
  constexpr int last_year = 2037;
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto number = [&](std::size_t from, std::size_t count) {
    int value = 0;
    for (const char c : text.substr(from, count)) value = c >= '0' && c <= '9' && value >= 0 ? value * 10 + (c - '0') : -1;
    return value;
  };
  const int year = number(0, 4);
  const int month = number(5, 2);
  const int day = number(8, 2);
  if (year < first_year || year > last_year || month < 1 || day < 1) return std::nullopt;
  const date::year_month_day date{date::year{year}, date::month{static_cast<unsigned>(month)},
                                  date::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  return date::local_days(date);
}

}  // namespace schultor::config
