// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/calendar.hpp"
#include "daemon/config/calendar_ical.hpp"

#include <libical/ical.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

namespace schultor::config {
namespace {

using date::days;
using date::local_days;
using date::local_seconds;
using std::chrono::seconds;

constexpr std::size_t longest_rule = 4000;

/// How many values libical's list for a part of a rule holds; it writes one more than that.
std::size_t most_values_of(std::string_view part) {
  if (part == "BYSECOND" || part == "BYMINUTE") return 60;
  if (part == "BYHOUR") return 24;
  if (part == "BYMONTHDAY") return 31;
  if (part == "BYWEEKNO") return 53;
  if (part == "BYMONTH") return 12;
  return 366;
}

/// libical takes numbers with atoi and keeps them in small types: 65537 would be 1.
bool sane_numbers(std::string_view name, std::string_view value) {
  const int most = name == "INTERVAL" ? 32'767 : name == "BYDAY" ? 53 : 366;
  const auto parts = split_at(value, ',');
  if (parts.size() > most_values_of(name)) return false;
  for (const auto part : parts) {
    const auto first = part.find_first_of("0123456789");
    if (first == std::string_view::npos) continue;
    const auto end = std::min(part.find_first_not_of("0123456789", first), part.size());
    const auto read = digits(part.substr(first, end - first), 1, 6);
    if (!read || *read > most) return false;
  }
  return true;
}

/// What a rule says of days and times, from libical's lists.
struct Parts {
  icalrecurrencetype_frequency frequency = ICAL_NO_RECURRENCE;
  int interval = 1;
  date::weekday week_start{date::Monday};
  std::vector<int> months, month_days, year_days, weeks, hours, minutes, seconds, positions;
  std::vector<std::pair<int, date::weekday>> week_days;  ///< 0MO: each Monday, -1MO: the last one

  [[nodiscard]] bool of_days() const { return frequency >= ICAL_DAILY_RECURRENCE; }
};

template <std::size_t N>
std::vector<int> values(const short (&list)[N]) {
  std::vector<int> found(std::begin(list), std::find(std::begin(list), std::end(list), short{ICAL_RECURRENCE_ARRAY_MAX}));
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

date::weekday weekday_of(icalrecurrencetype_weekday day) { return date::weekday(static_cast<unsigned>(day) - ICAL_SUNDAY_WEEKDAY); }

/// Nothing where libical takes the text for no rule.
std::optional<Parts> read_parts(const std::string& text) {
  auto parsed = icalrecurrencetype_from_string(text.c_str());
  // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): libical's own strdup
  std::free(std::exchange(parsed.rscale, nullptr));
  if (parsed.freq == ICAL_NO_RECURRENCE) return std::nullopt;
  Parts parts{parsed.freq,
              std::max<int>(parsed.interval, 1),
              date::Monday,
              values(parsed.by_month),
              values(parsed.by_month_day),
              values(parsed.by_year_day),
              values(parsed.by_week_no),
              values(parsed.by_hour),
              values(parsed.by_minute),
              values(parsed.by_second),
              values(parsed.by_set_pos),
              {}};
  if (parsed.week_start != ICAL_NO_WEEKDAY) parts.week_start = weekday_of(parsed.week_start);
  for (const auto day : values(parsed.by_day)) {
    const auto coded = static_cast<short>(day);
    parts.week_days.emplace_back(icalrecurrencetype_day_position(coded), weekday_of(icalrecurrencetype_day_day_of_week(coded)));
  }
  return parts;
}

/// What RFC 5545 forbids or leaves open to several readings; empty where there is nothing of it.
std::string_view unclear(const Parts& parts) {
  const auto yearly = parts.frequency == ICAL_YEARLY_RECURRENCE;
  const auto numbered = std::any_of(parts.week_days.begin(), parts.week_days.end(), [](const auto& day) { return day.first != 0; });
  const auto at_the_edge = std::any_of(parts.weeks.begin(), parts.weeks.end(), [](int week) { return week <= 1 || week >= 52; });
  if (numbered && parts.frequency < ICAL_MONTHLY_RECURRENCE) return "a numbered BYDAY is for FREQ=MONTHLY or FREQ=YEARLY";
  if (numbered && !parts.weeks.empty()) return "a numbered BYDAY has no meaning beside BYWEEKNO";
  if (!parts.month_days.empty() && parts.frequency == ICAL_WEEKLY_RECURRENCE) return "BYMONTHDAY is not for FREQ=WEEKLY";
  if (!parts.year_days.empty() && parts.of_days() && !yearly) return "BYYEARDAY is not for FREQ=DAILY, WEEKLY or MONTHLY";
  if (!parts.weeks.empty() && !yearly) return "BYWEEKNO is for FREQ=YEARLY";
  if (at_the_edge && (parts.interval > 1 || !parts.positions.empty()))
    return "a week that may lie in two years has no clear meaning beside INTERVAL or BYSETPOS";
  if (std::any_of(parts.months.begin(), parts.months.end(), [](int month) { return month < 1 || month > 12; }))
    return "BYMONTH goes from 1 to 12";
  return {};
}

bool has(const std::vector<int>& list, int value) { return std::find(list.begin(), list.end(), value) != list.end(); }

/// Whether a list holds this place among `all`, counted from 1 or, with a minus, from the end.
bool has_place(const std::vector<int>& list, int place, int all) { return has(list, place) || has(list, place - all - 1); }

int number(days apart) { return static_cast<int>(apart.count()); }

/// What a rule leaves out is as DTSTART has it (RFC 5545, 3.3.10).
void complete(Parts& parts, local_seconds start) {
  const auto day = date::floor<days>(start);
  const date::year_month_day ymd(day);
  const date::hh_mm_ss clock(start - day);
  if (parts.of_days()) {
    const auto no_days = parts.week_days.empty() && parts.month_days.empty() && parts.year_days.empty();
    if (no_days && (parts.frequency == ICAL_WEEKLY_RECURRENCE || !parts.weeks.empty())) {
      parts.week_days.emplace_back(0, date::weekday(day));
    } else if (no_days && parts.frequency >= ICAL_MONTHLY_RECURRENCE) {
      parts.month_days.push_back(static_cast<int>(static_cast<unsigned>(ymd.day())));
      if (parts.frequency == ICAL_YEARLY_RECURRENCE && parts.months.empty())
        parts.months.push_back(static_cast<int>(static_cast<unsigned>(ymd.month())));
    }
    if (parts.hours.empty()) parts.hours.push_back(static_cast<int>(clock.hours().count()));
  }
  if (parts.minutes.empty() && parts.frequency >= ICAL_HOURLY_RECURRENCE)
    parts.minutes.push_back(static_cast<int>(clock.minutes().count()));
  if (parts.seconds.empty() && parts.frequency >= ICAL_MINUTELY_RECURRENCE)
    parts.seconds.push_back(static_cast<int>(clock.seconds().count()));
}

/// Whether a day is one that the rule's parts name, apart from FREQ, INTERVAL and BYSETPOS.
class Days {
public:
  explicit Days(const Parts& parts) : parts_(parts) {}

  [[nodiscard]] bool in_month(date::month month) const {
    return parts_.months.empty() || has(parts_.months, static_cast<int>(static_cast<unsigned>(month)));
  }

  [[nodiscard]] bool name(local_days day) const {
    const date::year_month_day ymd(day);
    if (!in_month(ymd.month())) return false;
    const auto month = ymd.year() / ymd.month();
    const int days_of_month = static_cast<int>(static_cast<unsigned>((month / date::last).day()));
    const int day_of_month = static_cast<int>(static_cast<unsigned>(ymd.day()));
    if (!parts_.month_days.empty() && !has_place(parts_.month_days, day_of_month, days_of_month)) return false;
    if (parts_.year_days.empty() && parts_.weeks.empty() && parts_.week_days.empty()) return true;
    const int days_of_year = ymd.year().is_leap() ? 366 : 365;
    const int day_of_year = number(day - local_days(ymd.year() / 1 / 1)) + 1;
    if (!parts_.year_days.empty() && !has_place(parts_.year_days, day_of_year, days_of_year)) return false;
    if (!parts_.weeks.empty() && !in_week(day)) return false;
    const auto of_month = parts_.frequency == ICAL_MONTHLY_RECURRENCE || !parts_.months.empty();
    return parts_.week_days.empty() || (of_month ? on_weekday(date::weekday(day), day_of_month, days_of_month)
                                                 : on_weekday(date::weekday(day), day_of_year, days_of_year));
  }

private:
  /// A week belongs to the year that has four days of it at least.
  [[nodiscard]] bool in_week(local_days day) const {
    const auto fourth = day - (date::weekday(day) - parts_.week_start) + days(3);
    const auto year = date::year_month_day(fourth).year();
    const auto week = number(fourth - local_days(year / 1 / 1)) / 7 + 1;
    const auto to_come = number(local_days(year / 12 / 31) - fourth) / 7;
    return has_place(parts_.weeks, week, week + to_come);
  }

  [[nodiscard]] bool on_weekday(date::weekday weekday, int day, int all) const {
    return std::any_of(parts_.week_days.begin(), parts_.week_days.end(), [&](const auto& one) {
      return one.second == weekday && (one.first == 0 || one.first == (day - 1) / 7 + 1 || one.first == -((all - day) / 7 + 1));
    });
  }

  const Parts& parts_;
};

/// Goes through the spans of time that FREQ and INTERVAL give, and takes of each what the parts name.
class Walk {
public:
  Walk(const Parts& parts, local_seconds start, std::int64_t& steps)
      : parts_(parts), days_(parts), start_(start), first_(date::floor<days>(start)), steps_(steps) {
    for (const auto hour : parts.of_days() ? parts.hours : std::vector{0})
      for (const auto minute : parts.frequency >= ICAL_HOURLY_RECURRENCE ? parts.minutes : std::vector{0})
        for (const auto second : parts.frequency >= ICAL_MINUTELY_RECURRENCE ? parts.seconds : std::vector{0})
          // No clock here counts leap seconds.
          times_.push_back(std::chrono::hours(hour) + std::chrono::minutes(minute) + seconds(std::min(second, 59)));
  }

  /// The times of the next span, in order; nothing where it begins after `end`.
  std::optional<std::vector<local_seconds>> next(local_seconds end) {
    const auto count = turn_++ * parts_.interval;
    --steps_;
    std::vector<local_seconds> found;
    if (!parts_.of_days()) {
      const auto at = unit_of_clock(count);
      if (at > end) return std::nullopt;
      if (named_by_clock(at)) add(at, found);
    } else {
      const auto span = span_of_days(count);
      if (!span || span->first > end) return std::nullopt;
      add_days(*span, found);
    }
    return parts_.positions.empty() ? std::move(found) : picked(found);
  }

private:
  [[nodiscard]] local_seconds unit_of_clock(std::int64_t count) const {
    const auto since_midnight = start_ - first_;
    if (parts_.frequency == ICAL_HOURLY_RECURRENCE)
      return first_ + date::floor<std::chrono::hours>(since_midnight) + std::chrono::hours(count);
    if (parts_.frequency == ICAL_MINUTELY_RECURRENCE)
      return first_ + date::floor<std::chrono::minutes>(since_midnight) + std::chrono::minutes(count);
    return start_ + seconds(count);
  }

  [[nodiscard]] bool named_by_clock(local_seconds at) const {
    const auto day = date::floor<days>(at);
    const date::hh_mm_ss clock(at - day);
    const auto within = [](const std::vector<int>& list, std::int64_t value) {
      return list.empty() || has(list, static_cast<int>(value));
    };
    return within(parts_.hours, clock.hours().count()) &&
           (parts_.frequency >= ICAL_HOURLY_RECURRENCE || within(parts_.minutes, clock.minutes().count())) &&
           (parts_.frequency >= ICAL_MINUTELY_RECURRENCE || within(parts_.seconds, clock.seconds().count())) && days_.name(day);
  }

  /// A span's first day and the day after its last; nothing beyond the calendar's reach.
  [[nodiscard]] std::optional<std::pair<local_days, local_days>> span_of_days(std::int64_t count) const {
    if (parts_.frequency <= ICAL_WEEKLY_RECURRENCE) {
      const auto weekly = parts_.frequency == ICAL_WEEKLY_RECURRENCE;
      const auto length = days(weekly ? 7 : 1);
      const auto begin = weekly ? first_ - (date::weekday(first_) - parts_.week_start) : first_;
      if (count > (local_days(date::year(last_calendar_year + 2) / 1 / 1) - begin) / length) return std::nullopt;
      const auto from = begin + length * static_cast<int>(count);
      return std::pair(from, from + length);
    }
    const date::year_month_day ymd(first_);
    const auto monthly = parts_.frequency == ICAL_MONTHLY_RECURRENCE;
    const auto all = static_cast<int>(ymd.year()) * std::int64_t{12} + (monthly ? static_cast<unsigned>(ymd.month()) - 1 : 0) +
                     count * (monthly ? 1 : 12);
    if (all / 12 > last_calendar_year + 1) return std::nullopt;
    const auto from = date::year(static_cast<int>(all / 12)) / date::month(static_cast<unsigned>(all % 12) + 1);
    return std::pair(local_days(from / 1), local_days((from + date::months(monthly ? 1 : 12)) / 1));
  }

  void add_days(const std::pair<local_days, local_days>& span, std::vector<local_seconds>& found) {
    for (auto day = span.first; day < span.second && steps_ >= 0;) {
      --steps_;
      const date::year_month_day ymd(day);
      if (!days_.in_month(ymd.month())) {
        day = local_days(ymd.year() / ymd.month() / date::last) + days(1);
        continue;
      }
      if (days_.name(day)) add(day, found);
      day += days(1);
    }
  }

  void add(local_seconds unit, std::vector<local_seconds>& found) {
    steps_ -= static_cast<std::int64_t>(times_.size());
    if (steps_ < 0) return;
    for (const auto time : times_) found.push_back(unit + time);
  }

  [[nodiscard]] std::vector<local_seconds> picked(const std::vector<local_seconds>& all) const {
    std::vector<local_seconds> some;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (has_place(parts_.positions, static_cast<int>(i) + 1, static_cast<int>(all.size()))) some.push_back(all[i]);
    return some;
  }

  const Parts& parts_;
  Days days_;
  local_seconds start_;
  local_days first_;
  std::int64_t& steps_;
  std::vector<seconds> times_;
  std::int64_t turn_ = 0;
};

}  // namespace

base::Result<Rule> read_rule(std::string_view text) {
  Rule rule;
  const auto whole = std::string(text.substr(0, longest_rule));
  for (const auto part : split_at(whole, ';')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const auto name = in_capitals(part.substr(0, equals));
    const auto value = part.substr(equals + 1);
    if (name == "UNTIL") {
      auto until = read_stamp(value);
      if (!until) return base::pass(std::move(until), "UNTIL");
      rule.until = *std::move(until);
    } else if (name == "COUNT") {
      rule.count = digits(value, 1, 6).value_or(0);
      if (rule.count == 0) return base::fail("COUNT={}: expected a number from 1 to 999999", shortened(value));
    } else if ((name == "RSCALE" && in_capitals(value) != "GREGORIAN") || name == "SKIP") {
      return base::fail("{}={}: rules of other calendars (RFC 7529) are not read, expected a Gregorian one", name,
                        shortened(value));
    } else if (!sane_numbers(name, value)) {
      return base::fail("{}={}: a number is too large, or there are too many of them", shortened(name), shortened(value));
    }
    rule.finer_than_days =
        rule.finer_than_days || (name == "FREQ" && (in_capitals(value) == "HOURLY" || in_capitals(value) == "MINUTELY" ||
                                                    in_capitals(value) == "SECONDLY"));
  }
  rule.text = whole;
  const auto parts = read_parts(whole);
  if (!parts || text.size() > whole.size())
    return base::fail("“{}” is no recurrence rule: expected one like FREQ=YEARLY or FREQ=WEEKLY;BYDAY=MO;UNTIL=20260717",
                      shortened(text));
  if (const auto why = unclear(*parts); !why.empty()) return base::fail("“{}”: {}", shortened(text), why);
  return rule;
}

namespace {

tl::unexpected<base::Error> too_often(Budget& budget) {
  budget.exhausted = true;
  return base::fail(
      "the calendar's rules, up to this one, repeat too often to be written out: give them a coarser FREQ or an UNTIL");
}

}  // namespace

base::Result<std::vector<local_seconds>> expand(const Rule& rule, local_seconds start, bool whole_days, Budget& budget) {
  if (start < local_days(date::year(1583) / 1 / 1)) return base::fail("a rule that begins before the year 1583");
  local_seconds end = local_days(date::year(last_calendar_year + 1) / 1 / 2);
  // Two days more: UNTIL may be in another zone; the caller judges exactly.
  if (rule.until) end = std::min<local_seconds>(end, rule.until->local + std::chrono::hours(48));
  std::vector<local_seconds> times;
  if (end < start || budget.exhausted) return times;

  auto parts = read_parts(rule.text);
  if (!parts) return base::fail("“{}” is no recurrence rule", shortened(rule.text));
  if (whole_days) parts->hours = parts->minutes = parts->seconds = {0};
  complete(*parts, start);
  Walk walk(*parts, start, budget.steps);
  const auto done = [&] { return rule.count > 0 && static_cast<std::int64_t>(times.size()) >= rule.count; };
  while (!done()) {
    const auto some = walk.next(end);
    if (budget.steps < 0) return too_often(budget);
    if (!some) break;
    for (const auto time : *some)
      // A second 60 is 59 here, which may be there already.
      if (time >= start && time <= end && !done() && (times.empty() || times.back() < time)) times.push_back(time);
    if (static_cast<std::int64_t>(times.size()) > budget.occurrences) return too_often(budget);
  }
  if (times.empty()) {
    budget.exhausted = --budget.barren_rules < 0;
    if (budget.exhausted) return base::fail("one rule more that names no time: the rest of the calendar is not written out");
    return base::fail("the rule names no time from DTSTART to {}",
                      rule.until ? "its UNTIL" : fmt::format("the end of {}", last_calendar_year));
  }
  return times;
}

}  // namespace schultor::config
