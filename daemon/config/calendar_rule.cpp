// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/calendar.hpp"
#include "daemon/config/calendar_ical.hpp"

#include <libical/ical.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

namespace schultor::config {
namespace {

struct FreeIterator {
  void operator()(icalrecur_iterator* iterator) const { icalrecur_iterator_free(iterator); }
};

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

constexpr int no_value = ICAL_RECURRENCE_ARRAY_MAX;

/// Puts a list of BYHOUR and the like in order, since libical walks it as written; its length.
template <std::size_t N>
std::int64_t order(short (&list)[N]) {
  const auto end = std::find(std::begin(list), std::end(list), no_value);
  std::sort(std::begin(list), end);
  const auto kept = std::unique(std::begin(list), end);
  std::fill(kept, end, static_cast<short>(no_value));
  return kept - std::begin(list);
}

std::int64_t unit_seconds(icalrecurrencetype_frequency frequency) {
  switch (frequency) {
    case ICAL_SECONDLY_RECURRENCE:
      return 1;
    case ICAL_MINUTELY_RECURRENCE:
      return 60;
    case ICAL_HOURLY_RECURRENCE:
      return 3600;
    case ICAL_DAILY_RECURRENCE:
      return 86'400;
    case ICAL_WEEKLY_RECURRENCE:
      return 7 * 86'400;
    case ICAL_MONTHLY_RECURRENCE:
      return 28 * 86'400;
    default:
      return 365 * 86'400;
  }
}

icaltimetype ical_time(date::local_seconds time, bool is_date) {
  const auto day = date::floor<date::days>(time);
  const date::year_month_day ymd(day);
  const date::hh_mm_ss clock(time - day);
  auto result = icaltime_null_time();
  result.year = static_cast<int>(ymd.year());
  result.month = static_cast<int>(static_cast<unsigned>(ymd.month()));
  result.day = static_cast<int>(static_cast<unsigned>(ymd.day()));
  result.is_date = is_date ? 1 : 0;
  if (is_date) return result;
  result.hour = static_cast<int>(clock.hours().count());
  result.minute = static_cast<int>(clock.minutes().count());
  result.second = static_cast<int>(clock.seconds().count());
  return result;
}

date::local_seconds local_time(const icaltimetype& time) {
  const auto day = date::local_days(date::year(time.year) / date::month(static_cast<unsigned>(time.month)) /
                                    date::day(static_cast<unsigned>(time.day)));
  return day + std::chrono::hours(time.hour) + std::chrono::minutes(time.minute) + std::chrono::seconds(time.second);
}

/// How many times the iterator may turn for this rule, at most.
std::int64_t turns(const icalrecurrencetype& rule, std::int64_t times_of_day, bool filtered, date::local_seconds start,
                   date::local_seconds end) {
  const auto periods = (end - start).count() / (unit_seconds(rule.freq) * std::max<std::int64_t>(rule.interval, 1)) + 2;
  const auto all = periods * times_of_day;
  return rule.count > 0 && !filtered ? std::min<std::int64_t>(all, rule.count) : all;
}

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
  auto parsed = icalrecurrencetype_from_string(whole.c_str());
  // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): libical's own strdup
  std::free(parsed.rscale);
  if (parsed.freq == ICAL_NO_RECURRENCE || text.size() > whole.size())
    return base::fail("“{}” is no recurrence rule: expected one like FREQ=YEARLY or FREQ=WEEKLY;BYDAY=MO;UNTIL=20260717",
                      shortened(text));
  return rule;
}

namespace {

tl::unexpected<base::Error> too_often(Budget& budget) {
  budget.exhausted = true;
  return base::fail(
      "the calendar's rules, up to this one, repeat too often to be written out: give them a coarser FREQ or an UNTIL");
}

}  // namespace

base::Result<std::vector<date::local_seconds>> expand(const Rule& text, date::local_seconds start, bool whole_days,
                                                      Budget& budget) {
  using date::local_days;
  if (start < local_days(date::year(1583) / 1 / 1)) return base::fail("a rule that begins before the year 1583");
  date::local_seconds end = local_days(date::year(last_calendar_year + 1) / 1 / 2);
  // Two days more: UNTIL may be in another zone; the caller judges exactly.
  if (text.until) end = std::min<date::local_seconds>(end, text.until->local + std::chrono::hours(48));
  std::vector<date::local_seconds> times;
  if (end < start || budget.exhausted) return times;

  auto rule = icalrecurrencetype_from_string(text.text.c_str());
  // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): libical's own strdup; Gregorian is what it takes without it
  std::free(std::exchange(rule.rscale, nullptr));
  rule.until = ical_time(end, false);
  if (whole_days) rule.by_hour[0] = rule.by_minute[0] = rule.by_second[0] = static_cast<short>(no_value);
  const auto times_of_day = std::max<std::int64_t>(order(rule.by_hour), 1) * std::max<std::int64_t>(order(rule.by_minute), 1) *
                            std::max<std::int64_t>(order(rule.by_second), 1);
  const bool filtered = in_capitals(text.text).find("BY") != std::string::npos;
  budget.steps -= turns(rule, times_of_day, filtered, start, end);
  if (budget.steps < 0 || budget.barren_rules <= 0) return too_often(budget);

  const std::unique_ptr<icalrecur_iterator, FreeIterator> iterator(icalrecur_iterator_new(rule, ical_time(start, whole_days)));
  for (auto next = iterator ? icalrecur_iterator_next(iterator.get()) : icaltime_null_time(); icaltime_is_null_time(next) == 0;
       next = icalrecur_iterator_next(iterator.get())) {
    const auto time = local_time(next);
    if (--budget.steps < 0 || static_cast<std::int64_t>(times.size()) > budget.occurrences) return too_often(budget);
    if (time >= start) times.push_back(time);
  }
  if (times.empty()) {
    --budget.barren_rules;
    return base::fail("the rule names no time from DTSTART on");
  }
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  return times;
}

}  // namespace schultor::config
