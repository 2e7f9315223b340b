// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/window.hpp"
#include "daemon/policy/schedule.hpp"
#include "tests/catch.hpp"

#include <date/tz.h>

#include <random>

using namespace schultor::policy;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

Window window(const std::string& text) {
  const auto parsed = schultor::config::parse_window(text, {"city.toml", 9, 1});
  REQUIRE(parsed);
  return {parsed->weekdays, parsed->start, parsed->end, parsed->text, {"city.toml", 9}};
}

Policy policy_in(const std::string& zone, const std::vector<std::string>& windows) {
  Policy policy;
  policy.timezone = zone;
  policy.zone = date::locate_zone(zone);
  Schedule schedule{"s", {}, "school", "leisure", {"city.toml", 11}};
  for (const auto& text : windows) schedule.windows.push_back(window(text));
  policy.schedules.push_back(schedule);
  Group group;
  group.name = "3b";
  group.schedule = 0;
  Group fixed;
  fixed.name = "lehrkraefte";
  fixed.fixed_profile = "leisure";
  fixed.source = {"school.toml", 5};
  policy.groups = {group, fixed};
  return policy;
}

Seconds at(const Policy& policy, const std::string& text) {
  const auto time = parse_local(policy, text);
  REQUIRE(time);
  return *time;
}

std::string lines(const Policy& policy, const std::string& from, const std::string& to) {
  std::string text;
  for (const auto& line : timeline(policy, policy.groups[0], at(policy, from), at(policy, to)))
    text += format_local(policy, line.at) + " " + line.holding.profile + " " + line.holding.text + "\n";
  return text;
}

/// What holds, by the contract's words alone: the local minute looked up day by day.
bool in_window(const Policy& policy, Seconds instant) {
  const auto local = policy.zone->to_local(instant);
  const auto day = date::floor<days>(local);
  for (const auto& one : policy.schedules[0].windows)
    for (const int back : {0, 1}) {
      const auto start_day = day - days{back};
      if ((one.weekdays >> (date::weekday(start_day).iso_encoding() - 1) & 1U) == 0) continue;
      const auto start = start_day + one.start;
      const auto end = start_day + one.end + (one.end < one.start ? days{1} : days{0});
      if (local >= start && local < end) return true;
    }
  return false;
}

}  // namespace

TEST_CASE("a school day has its windows, and the end belongs to what follows") {
  const auto policy = policy_in("Europe/Berlin", {"Mon..Fri 08:00-17:00"});
  const auto& group = policy.groups[0];
  CHECK(holding_at(policy, group, at(policy, "2026-03-27T07:59:59")).profile == "leisure");
  const auto school = holding_at(policy, group, at(policy, "2026-03-27 08:00"));
  CHECK(school == Holding{"school", Because::window, "window Mon..Fri 08:00-17:00", {"city.toml", 9}});
  CHECK(holding_at(policy, group, at(policy, "2026-03-27T16:59:59")).profile == "school");
  CHECK(holding_at(policy, group, at(policy, "2026-03-27 17:00")) ==
        Holding{"leisure", Because::otherwise, "otherwise", {"city.toml", 11}});
  CHECK(holding_at(policy, group, at(policy, "2026-03-28 10:00")).profile == "leisure");
  CHECK(holding_at(policy, policy.groups[1], at(policy, "2026-03-27 10:00")) ==
        Holding{"leisure", Because::fixed, "fixed", {"school.toml", 5}});
}

TEST_CASE("school begins at eight by the wall clock on both sides of a clock change") {
  const auto policy = policy_in("Europe/Berlin", {"Mon..Fri 08:00-17:00"});
  CHECK(lines(policy, "2026-03-27", "2026-03-31") ==
        "2026-03-27T00:00:00+01:00 leisure otherwise\n"
        "2026-03-27T08:00:00+01:00 school window Mon..Fri 08:00-17:00\n"
        "2026-03-27T17:00:00+01:00 leisure otherwise\n"
        "2026-03-30T08:00:00+02:00 school window Mon..Fri 08:00-17:00\n"
        "2026-03-30T17:00:00+02:00 leisure otherwise\n");
}

TEST_CASE("an hour that does not exist cuts its window, one that occurs twice opens it twice") {
  CHECK(lines(policy_in("Europe/Berlin", {"02:30-04:00"}), "2026-03-29", "2026-03-30") ==
        "2026-03-29T00:00:00+01:00 leisure otherwise\n"
        "2026-03-29T03:00:00+02:00 school window 02:30-04:00\n"
        "2026-03-29T04:00:00+02:00 leisure otherwise\n");
  CHECK(lines(policy_in("Europe/Berlin", {"02:10-02:40"}), "2026-10-25", "2026-10-26") ==
        "2026-10-25T00:00:00+02:00 leisure otherwise\n"
        "2026-10-25T02:10:00+02:00 school window 02:10-02:40\n"
        "2026-10-25T02:40:00+02:00 leisure otherwise\n"
        "2026-10-25T02:10:00+01:00 school window 02:10-02:40\n"
        "2026-10-25T02:40:00+01:00 leisure otherwise\n");
}

TEST_CASE("a window over midnight belongs to the day that it starts on") {
  CHECK(lines(policy_in("Europe/Berlin", {"Fri 22:00-06:30"}), "2026-11-26", "2026-11-30") ==
        "2026-11-26T00:00:00+01:00 leisure otherwise\n"
        "2026-11-27T22:00:00+01:00 school window Fri 22:00-06:30\n"
        "2026-11-28T06:30:00+01:00 leisure otherwise\n");
}

TEST_CASE("windows that meet are one stretch, and the reason is that of the instant") {
  const auto policy = policy_in("Europe/Berlin", {"Mon..Fri 08:00-12:00", "Mon..Fri 12:00-24:00", "Tue..Sat 00:00-02:00"});
  const auto span = span_at(policy, policy.groups[0], at(policy, "2026-03-25 13:00"));
  CHECK(span.holding.text == "window Mon..Fri 12:00-24:00");
  CHECK(format_local(policy, span.since.value()) == "2026-03-25T08:00:00+01:00");
  REQUIRE(span.until);
  CHECK(format_local(policy, *span.until) == "2026-03-26T02:00:00+01:00");
}

TEST_CASE("a stretch is the same from its first instant to its last") {
  const auto policy = policy_in("Europe/Berlin", {"Mon..Fri 08:00-17:00"});
  for (const auto* text : {"2026-03-27 17:00", "2026-03-29 03:00", "2026-03-30T07:59:59"}) {
    INFO(text);
    const auto span = span_at(policy, policy.groups[0], at(policy, text));
    CHECK(format_local(policy, span.since.value()) == "2026-03-27T17:00:00+01:00");
    REQUIRE(span.until);
    CHECK(format_local(policy, *span.until) == "2026-03-30T08:00:00+02:00");
  }
}

TEST_CASE("what never changes has no beginning and no end") {
  const auto policy = policy_in("Europe/Berlin", {"00:00-24:00"});
  const auto now = at(policy, "2026-03-27 10:00");
  for (const auto& group : policy.groups) {
    const auto span = span_at(policy, group, now);
    CHECK_FALSE(span.since);
    CHECK_FALSE(span.until);
    CHECK(timeline(policy, group, now, now + days{1000}).size() == 1);
  }
}

TEST_CASE("a local time that occurs twice means the first, one that does not occur the first instant after") {
  const auto berlin = policy_in("Europe/Berlin", {});
  CHECK(format_local(berlin, at(berlin, "2026-10-25 02:30")) == "2026-10-25T02:30:00+02:00");
  CHECK(format_local(berlin, at(berlin, "2026-03-29 02:30")) == "2026-03-29T03:00:00+02:00");
  CHECK(at(berlin, "2026-10-25T02:30:00+01:00") - at(berlin, "2026-10-25 02:30") == hours{1});
  CHECK(at(berlin, "2026-10-25T01:30:00Z") == at(berlin, "2026-10-25T02:30:00+01:00"));
  CHECK(format_local(berlin, at(berlin, "2026-03-27")) == "2026-03-27T00:00:00+01:00");
  // There was no midnight in São Paulo on this date, and no 30th of December in Samoa.
  const auto sao_paulo = policy_in("America/Sao_Paulo", {});
  CHECK(format_local(sao_paulo, at(sao_paulo, "2018-11-04")) == "2018-11-04T01:00:00-02:00");
  const auto apia = policy_in("Pacific/Apia", {});
  CHECK(format_local(apia, at(apia, "2011-12-30 12:00")) == "2011-12-31T00:00:00+14:00");
  const auto newfoundland = policy_in("America/St_Johns", {});
  CHECK(format_local(newfoundland, at(newfoundland, "2026-01-01")) == "2026-01-01T00:00:00-03:30");
}

TEST_CASE("what is no date or time is refused") {
  const auto policy = policy_in("Europe/Berlin", {});
  for (const auto* text : {"", "2026", "2026-3-27", "2026-02-29", "2026-13-01", "2026-03-27 ", "2026-03-27 24:00",
                           "2026-03-27 08:60", "2026-03-27T08", "2026-03-27T08:00:00+1:00", "2026-03-27T08:00:00 CET", "27.03.2026",
                           "1969-12-31", "2038-01-01", "today", "2026-03-27T08:00:00+01:0"}) {
    INFO(text);
    CHECK_FALSE(parse_local(policy, text));
  }
}

TEST_CASE("around clock changes the timeline is what every minute says") {
  struct Place {
    const char* zone;
    std::vector<const char*> around;
  };
  // Lord Howe moves by half an hour, São Paulo at midnight, and Samoa left a whole day out.
  const std::vector<Place> places{
      {"Europe/Berlin", {"2026-03-29", "2026-10-25", "2027-01-01"}},
      {"America/Sao_Paulo", {"2018-11-04", "2018-02-18", "2017-10-15"}},
      {"Australia/Lord_Howe", {"2026-04-05", "2026-10-04"}},
      {"Pacific/Apia", {"2011-12-30", "2011-09-24", "2012-04-01"}},
  };
  std::mt19937 random(20260329);
  const std::vector<std::string> day_sets{"", "Mon..Fri ", "Sat,Sun ", "Fri..Mon ", "Wed ", "Sun "};
  const auto time = [&](bool end) {
    const auto quarter = random() % 3 == 0 ? random() % 20 : random() % (end ? 97 : 96);
    return fmt::format("{:02}:{:02}", quarter / 4, quarter % 4 * 15);
  };
  std::size_t changes = 0;
  for (const auto& place : places)
    for (const auto* around : place.around)
      for (int round = 0; round < 12; ++round) {
        std::vector<std::string> windows;
        for (auto count = 1 + random() % 3; count > 0;) {
          const auto start = time(false);
          const auto end = time(true);
          if (start == end) continue;
          windows.push_back(day_sets[random() % day_sets.size()] + start + "-" + end);
          --count;
        }
        const auto policy = policy_in(place.zone, windows);
        const auto& group = policy.groups[0];
        const auto middle = at(policy, around);
        const auto from = middle - hours{50};
        const auto to = middle + hours{50};
        INFO(place.zone << " around " << around << ", windows " << windows.front() << " and " << windows.back());

        std::vector<std::pair<Seconds, std::string>> expected;
        for (auto instant = from; instant < to; instant += minutes{1}) {
          const std::string profile = in_window(policy, instant) ? "school" : "leisure";
          if (expected.empty() || expected.back().second != profile) expected.emplace_back(instant, profile);
        }
        std::vector<std::pair<Seconds, std::string>> found;
        for (const auto& line : timeline(policy, group, from, to)) found.emplace_back(line.at, line.holding.profile);
        REQUIRE(found == expected);
        changes += found.size() - 1;

        // The span at any instant is the stretch between two of them.
        for (std::size_t i = 1; i + 1 < expected.size(); ++i) {
          const auto span = span_at(policy, group, expected[i + 1].first - minutes{1});
          REQUIRE(span.since == expected[i].first);
          REQUIRE(span.until == expected[i + 1].first);
        }
      }
  CHECK(changes > 500);
}
