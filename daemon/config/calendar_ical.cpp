// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/calendar_ical.hpp"

#include <libical/ical.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace schultor::config {
namespace {

constexpr std::size_t most_values = 500;  ///< libical drops what a line has beyond them

struct Free {
  void operator()(icalcomponent* component) const { icalcomponent_free(component); }
  void operator()(icalparser* parser) const { icalparser_free(parser); }
};

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

base::Result<std::vector<std::string_view>> values_of(const ContentLine& line) {
  auto values = split_at(plain_value(line), ',');
  if (values.size() > most_values)
    return base::fail("more than {} values in one {}: write several of them", most_values, line.name);
  return values;
}

void apply(const Parameters& parameters, Stamp& stamp) {
  stamp.bare = stamp.is_date && !parameters.has_value;
  if (!stamp.is_date && !stamp.utc) stamp.tzid = parameters.tzid;
}

}  // namespace

base::Result<Stamp> read_stamp(std::string_view text) {
  const auto wrong = [&] {
    return base::fail("“{}” is no date or time: expected one like 20260330, 20260330T080000 or 20260330T060000Z", shortened(text));
  };
  Stamp stamp;
  stamp.is_date = text.size() == 8;
  stamp.utc = text.size() == 16 && text.back() == 'Z';
  if (!stamp.is_date && !stamp.utc && text.size() != 15) return wrong();
  const auto year = digits(text.substr(0, 4), 4, 4);
  const auto month = digits(text.substr(4, 2), 2, 2);
  const auto day = digits(text.substr(6, 2), 2, 2);
  if (!year || !month || !day) return wrong();
  const auto ymd = date::year(*year) / date::month(static_cast<unsigned>(*month)) / date::day(static_cast<unsigned>(*day));
  if (!ymd.ok()) return wrong();
  stamp.local = date::local_days(ymd);
  if (stamp.is_date) return stamp;
  const auto hour = digits(text.substr(9, 2), 2, 2);
  const auto minute = digits(text.substr(11, 2), 2, 2);
  const auto second = digits(text.substr(13, 2), 2, 2);
  if (text[8] != 'T' || !hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return wrong();
  // No clock here counts leap seconds.
  stamp.local += std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(std::min(*second, 59));
  return stamp;
}

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
  const auto duration = icaldurationtype_from_string(std::string(shortened(text)).c_str());
  if (longest == 0 || longest > 6 || text.size() > longest_excerpt || icaldurationtype_is_bad_duration(duration) != 0 ||
      duration.is_neg != 0)
    return base::fail("“{}” is no duration: expected one like P1D or PT45M", shortened(text));
  return Length{
      date::days(duration.days + duration.weeks * 7),
      std::chrono::hours(duration.hours) + std::chrono::minutes(duration.minutes) + std::chrono::seconds(duration.seconds)};
}

base::Result<std::chrono::seconds> read_offset(std::string_view text) {
  const bool sized = text.size() == 5 || text.size() == 7;
  if (sized && (text.front() == '+' || text.front() == '-')) {
    const auto hours = digits(text.substr(1, 2), 2, 2);
    const auto minutes = digits(text.substr(3, 2), 2, 2);
    const auto seconds = text.size() == 7 ? digits(text.substr(5, 2), 2, 2) : 0;
    if (hours && minutes && seconds && *hours < 24 && *minutes < 60 && *seconds < 60) {
      const std::chrono::seconds offset =
          std::chrono::hours(*hours) + std::chrono::minutes(*minutes) + std::chrono::seconds(*seconds);
      return text.front() == '-' ? -offset : offset;
    }
  }
  return base::fail("“{}” is no offset from UTC: expected one like +0100", shortened(text));
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

}  // namespace schultor::config
