// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/http_date.hpp"

#include "daemon/cache/header_fields.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace schultor::cache {
namespace {

using std::chrono::sys_seconds;

constexpr std::array<std::string_view, 7> days = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::size_t short_day = 3;

/// Takes parts off the front of a text. Once something was not there, nothing is.
class Cursor {
public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  void literal(std::string_view text) { take(rest_.substr(0, text.size()), text); }
  /// Without regard to case.
  void zone() {
    if (!equal_without_case(rest_.substr(0, 3), "GMT")) return fail();
    rest_.remove_prefix(3);
  }
  /// `digits` of them; a first one may be a space where `padded`.
  int number(std::size_t digits, bool padded = false) {
    if (rest_.size() < digits) return fail(), 0;
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      char c = rest_[i];
      if (padded && i == 0 && c == ' ') c = '0';
      if (c < '0' || c > '9') return fail(), 0;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  /// The place of the first of `names`, cut to `length`, that is there. From 0.
  template <typename Names>
  std::size_t one_of(const Names& names, std::size_t length = std::string_view::npos) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto name = names[i].substr(0, length);
      if (!equal_without_case(rest_.substr(0, name.size()), name)) continue;
      rest_.remove_prefix(name.size());
      return i;
    }
    fail();
    return 0;
  }
  [[nodiscard]] bool done() const { return good_ && rest_.empty(); }

private:
  void fail() {
    good_ = false;
    rest_ = {};
  }
  void take(std::string_view found, std::string_view wanted) {
    if (found != wanted || !good_) return fail();
    rest_.remove_prefix(wanted.size());
  }

  std::string_view rest_;
  bool good_ = true;
};

struct Fields {
  int year = 0;
  std::size_t month = 0;  ///< from 0
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;  ///< 60 in a leap second
};

void read_time(Cursor& cursor, Fields& fields) {
  fields.hour = cursor.number(2);
  cursor.literal(":");
  fields.minute = cursor.number(2);
  cursor.literal(":");
  fields.second = cursor.number(2);
}

/// "Sun, 06 Nov 1994 08:49:37 GMT"
bool read_imf_fixdate(std::string_view text, Fields& fields) {
  Cursor cursor(text);
  cursor.one_of(days, short_day);
  cursor.literal(", ");
  fields.day = cursor.number(2);
  cursor.literal(" ");
  fields.month = cursor.one_of(months);
  cursor.literal(" ");
  fields.year = cursor.number(4);
  cursor.literal(" ");
  read_time(cursor, fields);
  cursor.literal(" ");
  cursor.zone();
  return cursor.done();
}

/// "Sunday, 06-Nov-94 08:49:37 GMT"; the year is of two digits.
bool read_rfc850(std::string_view text, Fields& fields) {
  Cursor cursor(text);
  cursor.one_of(days);
  cursor.literal(", ");
  fields.day = cursor.number(2);
  cursor.literal("-");
  fields.month = cursor.one_of(months);
  cursor.literal("-");
  fields.year = cursor.number(2);
  cursor.literal(" ");
  read_time(cursor, fields);
  cursor.literal(" ");
  cursor.zone();
  return cursor.done();
}

/// "Sun Nov  6 08:49:37 1994"
bool read_asctime(std::string_view text, Fields& fields) {
  Cursor cursor(text);
  cursor.one_of(days, short_day);
  cursor.literal(" ");
  fields.month = cursor.one_of(months);
  cursor.literal(" ");
  fields.day = cursor.number(2, true);
  cursor.literal(" ");
  read_time(cursor, fields);
  cursor.literal(" ");
  fields.year = cursor.number(4);
  return cursor.done();
}

std::optional<sys_seconds> instant_of(const Fields& fields) {
  using namespace std::chrono;
  const year_month_day date{year{fields.year}, month{static_cast<unsigned>(fields.month) + 1},
                            day{static_cast<unsigned>(fields.day)}};
  if (!date.ok() || fields.hour > 23 || fields.minute > 59 || fields.second > 60) return std::nullopt;
  return sys_days{date} + hours{fields.hour} + minutes{fields.minute} + seconds{fields.second};
}

/// The year with these last two digits that is at most fifty ahead (RFC 9110, 5.6.7).
int year_of(int digits, sys_seconds now) {
  const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
  const int this_year = static_cast<int>(today.year());
  const int year = this_year - this_year % 100 + digits;
  if (year > this_year + 50) return year - 100;
  return year + 100 <= this_year + 50 ? year + 100 : year;
}

}  // namespace

std::optional<sys_seconds> read_http_date(std::string_view text, sys_seconds now) {
  Fields fields;
  if (read_imf_fixdate(text, fields) || read_asctime(text, fields)) return instant_of(fields);
  if (!read_rfc850(text, fields)) return std::nullopt;
  fields.year = year_of(fields.year, now);
  return instant_of(fields);
}

std::string to_http_date(sys_seconds instant) {
  using namespace std::chrono;
  const auto midnight = floor<std::chrono::days>(instant);
  const year_month_day date{midnight};
  const hh_mm_ss time{instant - midnight};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[weekday{midnight}.c_encoding()].substr(0, short_day),
                     static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace schultor::cache
