// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/calendar_ical.hpp"

#include "daemon/config/calendar.hpp"

#include <libical/ical.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <utility>

namespace schultor::config {
namespace {

constexpr std::size_t most_values = 500;  ///< libical drops what a line has beyond them
constexpr std::size_t longest_quote = 60;

struct Free {
  void operator()(icalcomponent* component) const { icalcomponent_free(component); }
  void operator()(icalparser* parser) const { icalparser_free(parser); }
  void operator()(icalrecur_iterator* iterator) const { icalrecur_iterator_free(iterator); }
};

std::string_view quoted(std::string_view text) { return text.substr(0, longest_quote); }

/// The line as libical reads it: a VEVENT with this property, once for each of its values.
std::unique_ptr<icalcomponent, Free> parse(const ContentLine& line) {
  const std::unique_ptr<icalparser, Free> parser(icalparser_new());
  if (!parser) return nullptr;
  // It writes to what it is given.
  std::string begin = "BEGIN:VEVENT";
  std::string end = "END:VEVENT";
  std::string text = line.text;
  icalparser_add_line(parser.get(), begin.data());
  icalparser_add_line(parser.get(), text.data());
  return std::unique_ptr<icalcomponent, Free>(icalparser_add_line(parser.get(), end.data()));
}

icalproperty* first_property(icalcomponent* component) {
  for (auto* one = component == nullptr ? nullptr : icalcomponent_get_first_property(component, ICAL_ANY_PROPERTY); one != nullptr;
       one = icalcomponent_get_next_property(component, ICAL_ANY_PROPERTY))
    if (icalproperty_isa(one) != ICAL_XLICERROR_PROPERTY) return one;
  return nullptr;
}

struct Parameters {
  bool has_value = false;
  std::string tzid;
};

/// Of a property that holds dates. libical gives no property where it takes the value for none, then there are no parameters.
Parameters parameters(const ContentLine& line) {
  Parameters result;
  if (line.text.find(';') == std::string::npos) return result;
  const auto component = parse(line);
  auto* property = first_property(component.get());
  if (property == nullptr) return result;
  result.has_value = icalproperty_get_first_parameter(property, ICAL_VALUE_PARAMETER) != nullptr;
  if (auto* tzid = icalproperty_get_first_parameter(property, ICAL_TZID_PARAMETER)) {
    const char* name = icalparameter_get_tzid(tzid);
    if (name != nullptr) result.tzid = name;
  }
  return result;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

/// A number of `least` to `most` digits and nothing else.
std::optional<int> number(std::string_view text, std::size_t least, std::size_t most) {
  if (text.size() < least || text.size() > most) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
  return value;
}

base::Result<Stamp> read_stamp(std::string_view text) {
  const auto wrong = [&] {
    return base::fail("“{}” is no date or time: expected one like 20260330, 20260330T080000 or 20260330T060000Z", quoted(text));
  };
  Stamp stamp;
  stamp.is_date = text.size() == 8;
  stamp.utc = text.size() == 16 && text.back() == 'Z';
  if (!stamp.is_date && !stamp.utc && text.size() != 15) return wrong();
  const auto year = number(text.substr(0, 4), 4, 4);
  const auto month = number(text.substr(4, 2), 2, 2);
  const auto day = number(text.substr(6, 2), 2, 2);
  if (!year || !month || !day) return wrong();
  const auto ymd = date::year(*year) / date::month(static_cast<unsigned>(*month)) / date::day(static_cast<unsigned>(*day));
  if (!ymd.ok()) return wrong();
  stamp.local = date::local_days(ymd);
  if (stamp.is_date) return stamp;
  const auto hour = number(text.substr(9, 2), 2, 2);
  const auto minute = number(text.substr(11, 2), 2, 2);
  const auto second = number(text.substr(13, 2), 2, 2);
  if (text[8] != 'T' || !hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return wrong();
  // No clock here counts leap seconds.
  stamp.local += std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(std::min(*second, 59));
  return stamp;
}

base::Result<std::vector<std::string_view>> values_of(const ContentLine& line) {
  auto values = split(plain_value(line), ',');
  if (values.size() > most_values)
    return base::fail("more than {} values in one {}: write several of them", most_values, line.name);
  return values;
}

void apply(const Parameters& parameters, Stamp& stamp) {
  stamp.bare = stamp.is_date && !parameters.has_value;
  if (!stamp.is_date && !stamp.utc) stamp.tzid = parameters.tzid;
}

}  // namespace

base::Result<std::vector<Stamp>> read_stamps(const ContentLine& line) {
  const auto values = values_of(line);
  if (!values) return base::pass(base::Result<std::vector<std::string_view>>(values));
  const auto given = parameters(line);
  std::vector<Stamp> stamps;
  for (const auto value : *values) {
    auto stamp = read_stamp(value);
    if (!stamp) return base::pass(std::move(stamp), line.name);
    apply(given, *stamp);
    stamps.push_back(*std::move(stamp));
  }
  return stamps;
}

base::Result<std::vector<Period>> read_periods(const ContentLine& line) {
  const auto values = values_of(line);
  if (!values) return base::pass(base::Result<std::vector<std::string_view>>(values));
  const auto given = parameters(line);
  std::vector<Period> periods;
  for (const auto value : *values) {
    const auto slash = value.find('/');
    auto start = read_stamp(value.substr(0, slash));
    if (!start) return base::pass(std::move(start), line.name);
    apply(given, *start);
    Period period{*std::move(start), std::nullopt, std::nullopt};
    if (slash != std::string_view::npos) {
      const auto rest = value.substr(slash + 1);
      if (auto length = read_length(rest)) {
        period.length = *length;
      } else {
        auto end = read_stamp(rest);
        if (!end) return base::pass(std::move(end), line.name);
        apply(given, *end);
        period.end = *std::move(end);
      }
    }
    periods.push_back(std::move(period));
  }
  return periods;
}

base::Result<Length> read_length(std::string_view text) {
  // Longer numbers overflow in libical; no event lasts so long.
  std::size_t digits = 0;
  std::size_t longest = 0;
  for (const char c : text) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    longest = std::max(longest, digits);
  }
  const auto duration = icaldurationtype_from_string(std::string(quoted(text)).c_str());
  if (longest == 0 || longest > 6 || text.size() > longest_quote || icaldurationtype_is_bad_duration(duration) != 0 ||
      duration.is_neg != 0)
    return base::fail("“{}” is no duration: expected one like P1D or PT45M", quoted(text));
  return Length{
      date::days(duration.days + duration.weeks * 7),
      std::chrono::hours(duration.hours) + std::chrono::minutes(duration.minutes) + std::chrono::seconds(duration.seconds)};
}

base::Result<std::chrono::seconds> read_offset(std::string_view text) {
  const bool sized = text.size() == 5 || text.size() == 7;
  if (sized && (text.front() == '+' || text.front() == '-')) {
    const auto hours = number(text.substr(1, 2), 2, 2);
    const auto minutes = number(text.substr(3, 2), 2, 2);
    const auto seconds = text.size() == 7 ? number(text.substr(5, 2), 2, 2) : 0;
    if (hours && minutes && seconds && *hours < 24 && *minutes < 60 && *seconds < 60) {
      const std::chrono::seconds offset =
          std::chrono::hours(*hours) + std::chrono::minutes(*minutes) + std::chrono::seconds(*seconds);
      return text.front() == '-' ? -offset : offset;
    }
  }
  return base::fail("“{}” is no offset from UTC: expected one like +0100", quoted(text));
}

std::vector<std::string> read_texts(const ContentLine& line) {
  std::vector<std::string> texts;
  const auto component = parse(line);
  if (!component) return texts;
  for (auto* one = icalcomponent_get_first_property(component.get(), ICAL_ANY_PROPERTY); one != nullptr;
       one = icalcomponent_get_next_property(component.get(), ICAL_ANY_PROPERTY)) {
    if (icalproperty_isa(one) == ICAL_XLICERROR_PROPERTY) continue;
    auto* value = icalproperty_get_value(one);
    if (value == nullptr || icalvalue_isa(value) != ICAL_TEXT_VALUE) continue;
    const char* written = icalvalue_get_text(value);
    std::string text = written == nullptr ? "" : written;
    for (auto& c : text)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    const auto first = text.find_first_not_of(' ');
    if (first == std::string::npos) continue;
    texts.push_back(text.substr(first, text.find_last_not_of(' ') - first + 1));
  }
  return texts;
}

bool has_range(const ContentLine& line) {
  const auto component = parse(line);
  auto* property = first_property(component.get());
  return property != nullptr && icalproperty_get_first_parameter(property, ICAL_RANGE_PARAMETER) != nullptr;
}

void release_ical_memory() { icalmemory_free_ring(); }

namespace {

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
  const auto parts = split(value, ',');
  if (parts.size() > most_values_of(name)) return false;
  for (const auto part : parts) {
    const auto first = part.find_first_of("0123456789");
    if (first == std::string_view::npos) continue;
    const auto end = std::min(part.find_first_not_of("0123456789", first), part.size());
    const auto read = number(part.substr(first, end - first), 1, 6);
    if (!read || *read > most) return false;
  }
  return true;
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (auto& c : result)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  return result;
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
  for (const auto part : split(whole, ';')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const auto name = upper(part.substr(0, equals));
    const auto value = part.substr(equals + 1);
    if (name == "UNTIL") {
      auto until = read_stamp(value);
      if (!until) return base::pass(std::move(until), "UNTIL");
      rule.until = *std::move(until);
    } else if (name == "COUNT") {
      rule.count = number(value, 1, 6).value_or(0);
      if (rule.count == 0) return base::fail("COUNT={}: expected a number from 1 to 999999", quoted(value));
    } else if ((name == "RSCALE" && upper(value) != "GREGORIAN") || name == "SKIP") {
      return base::fail("{}={}: rules of other calendars (RFC 7529) are not read, expected a Gregorian one", name, quoted(value));
    } else if (!sane_numbers(name, value)) {
      return base::fail("{}={}: a number is too large, or there are too many of them", quoted(name), quoted(value));
    }
    rule.finer_than_days =
        rule.finer_than_days ||
        (name == "FREQ" && (upper(value) == "HOURLY" || upper(value) == "MINUTELY" || upper(value) == "SECONDLY"));
  }
  rule.text = whole;
  auto parsed = icalrecurrencetype_from_string(whole.c_str());
  // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): libical's own strdup
  std::free(parsed.rscale);
  if (parsed.freq == ICAL_NO_RECURRENCE || text.size() > whole.size())
    return base::fail("“{}” is no recurrence rule: expected one like FREQ=YEARLY or FREQ=WEEKLY;BYDAY=MO;UNTIL=20260717",
                      quoted(text));
  return rule;
}

base::Result<std::vector<date::local_seconds>> expand(const Rule& text, date::local_seconds start, bool whole_days,
                                                      Budget& budget) {
  using date::local_days;
  if (start < local_days(date::year(1583) / 1 / 1)) return base::fail("a rule that begins before the year 1583");
  date::local_seconds end = local_days(date::year(last_calendar_year + 1) / 1 / 2);
  // Two days more: UNTIL may be in another zone; the caller judges exactly.
  if (text.until) end = std::min<date::local_seconds>(end, text.until->local + std::chrono::hours(48));
  std::vector<date::local_seconds> times;
  if (end < start) return times;

  auto rule = icalrecurrencetype_from_string(text.text.c_str());
  // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): libical's own strdup; Gregorian is what it takes without it
  std::free(std::exchange(rule.rscale, nullptr));
  rule.until = ical_time(end, false);
  if (whole_days) rule.by_hour[0] = rule.by_minute[0] = rule.by_second[0] = static_cast<short>(no_value);
  const auto times_of_day = std::max<std::int64_t>(order(rule.by_hour), 1) * std::max<std::int64_t>(order(rule.by_minute), 1) *
                            std::max<std::int64_t>(order(rule.by_second), 1);
  const bool filtered = upper(text.text).find("BY") != std::string::npos;
  budget.steps -= turns(rule, times_of_day, filtered, start, end);
  if (budget.steps < 0 || budget.barren_rules <= 0)
    return base::fail("the calendar's rules repeat too often to be written out: give them a coarser FREQ or a nearer UNTIL");

  const std::unique_ptr<icalrecur_iterator, Free> iterator(icalrecur_iterator_new(rule, ical_time(start, whole_days)));
  for (auto next = iterator ? icalrecur_iterator_next(iterator.get()) : icaltime_null_time(); icaltime_is_null_time(next) == 0;
       next = icalrecur_iterator_next(iterator.get())) {
    const auto time = local_time(next);
    if (--budget.steps < 0 || static_cast<std::int64_t>(times.size()) > budget.occurrences)
      return base::fail("a rule that repeats too often to be written out: give it a coarser FREQ or a nearer UNTIL");
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
