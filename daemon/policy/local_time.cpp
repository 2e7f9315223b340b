// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/schedule.hpp"

#include <date/tz.h>

#include <cstdlib>

namespace schultor::policy {
namespace {

constexpr int first_year = 1970;
// The tables of the tz database end there, and date 3.0 does not go on by the rule behind them: summer time would be lost.
constexpr int last_year = 2037;

/// Reads from the front of a text; once something did not fit, everything after it fails too.
class Cursor {
public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  /// A number of exactly `digits` digits.
  int number(std::size_t digits) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      fits_ = fits_ && i < rest_.size() && rest_[i] >= '0' && rest_[i] <= '9';
      if (!fits_) return 0;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  /// One of the characters of `any`, or '\0'.
  char take(std::string_view any) {
    if (!fits_ || rest_.empty() || any.find(rest_.front()) == std::string_view::npos) return '\0';
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  void expect(std::string_view any) { fits_ = take(any) != '\0' && fits_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool fits() const { return fits_; }

private:
  std::string_view rest_;
  bool fits_ = true;
};

struct Reading {
  date::local_seconds local;
  std::optional<std::chrono::seconds> offset;  ///< where the text gave one
};

std::optional<std::chrono::seconds> read_offset(Cursor& cursor) {
  if (cursor.take("Zz") != '\0') return std::chrono::seconds{0};
  const char sign = cursor.take("+-");
  if (sign == '\0') return std::nullopt;
  const std::chrono::hours hours{cursor.number(2)};
  cursor.expect(":");
  const std::chrono::minutes minutes{cursor.number(2)};
  return (sign == '-' ? -1 : 1) * std::chrono::seconds{hours + minutes};
}

std::optional<Reading> read(std::string_view text) {
  Cursor cursor(text);
  const int year = cursor.number(4);
  cursor.expect("-");
  const int month = cursor.number(2);
  cursor.expect("-");
  const int day = cursor.number(2);
  const date::year_month_day date{date::year{year}, date::month{static_cast<unsigned>(month)},
                                  date::day{static_cast<unsigned>(day)}};
  if (!cursor.fits() || !date.ok() || year < first_year || year > last_year) return std::nullopt;
  Reading reading{date::local_days(date), std::nullopt};
  if (cursor.at_end()) return reading;
  cursor.expect("Tt ");
  const int hour = cursor.number(2);
  cursor.expect(":");
  const int minute = cursor.number(2);
  const int second = cursor.take(":") != '\0' ? cursor.number(2) : 0;
  reading.offset = read_offset(cursor);
  if (!cursor.fits() || !cursor.at_end() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  reading.local += std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second};
  return reading;
}

}  // namespace

std::string format_local(const Policy& policy, Seconds at) {
  const auto info = policy.zone->get_info(at);
  const date::local_seconds local{at.time_since_epoch() + info.offset};
  const auto day = date::floor<std::chrono::days>(local);
  const date::year_month_day date{day};
  const date::hh_mm_ss time{local - day};
  const auto offset = std::chrono::duration_cast<std::chrono::minutes>(info.offset).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), offset < 0 ? '-' : '+', std::abs(offset) / 60,
                     std::abs(offset) % 60);
}

base::Result<Seconds> parse_local(const Policy& policy, std::string_view text) {
  const auto reading = read(text);
  if (!reading)
    return base::fail(
        "“{}” is no date or time: expected one such as 2026-03-27, 2026-03-27 08:00 or 2026-03-27T08:00:00+01:00, from {} to {}",
        text, first_year, last_year);
  if (reading->offset) return Seconds{reading->local.time_since_epoch() - *reading->offset};
  const auto info = policy.zone->get_info(reading->local);
  if (info.result == date::local_info::nonexistent) return Seconds{info.first.end};
  return Seconds{reading->local.time_since_epoch() - info.first.offset};
}

}  // namespace schultor::policy
