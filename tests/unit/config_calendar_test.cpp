// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/catch.hpp"
#include "tests/unit/calendar_helpers.hpp"

#include <algorithm>

using namespace calendar_helpers;
using schultor::config::EventEnd;

TEST_CASE("the last day of a holiday is a holiday in both dialects of all-day events") {
  const auto plain = read(calendar(event({"DTSTART:20260330", "DTEND:20260410"}) + event({"DTSTART:20260526", "DTEND:20260526"})));
  CHECK(plain.occurrences == Lines{"2026-03-30..2026-04-10", "2026-05-26"});
  CHECK(occurrences({"DTSTART;VALUE=DATE:20260330", "DTEND;VALUE=DATE:20260411"}) == Lines{"2026-03-30..2026-04-10"});
  CHECK(occurrences({"DTSTART;VALUE=DATE:20260526", "DTEND;VALUE=DATE:20260527"}) == Lines{"2026-05-26"});
  CHECK(occurrences({"DTSTART;VALUE=DATE:20260526"}) == Lines{"2026-05-26"});
}

SCENARIO("inclusive ends are recognised by a feed's own dates, and the calendar says so once") {
  const auto bare = event({"DTSTART;VALUE=DATE:20260330", "DTEND:20260410"});
  const auto equal = event({"DTSTART;VALUE=DATE:20260526", "DTEND;VALUE=DATE:20260526"});
  const auto longer = event({"DTSTART;VALUE=DATE:20260720", "DTEND;VALUE=DATE:20260901"});
  const auto next = event({"DTSTART;VALUE=DATE:20261003", "DTEND;VALUE=DATE:20261004"});

  GIVEN("a date without VALUE=DATE") {
    const auto reading = read(calendar(longer + bare + bare));
    CHECK(reading.occurrences == Lines{"2026-07-20..2026-08-31", "2026-03-30..2026-04-10", "2026-03-30..2026-04-10"});
    REQUIRE(reading.faults.size() == 1);
    CHECK(reading.says("a.ics:9: warning: ", "as here (“DTEND:20260410”)"));
    CHECK(reading.says("a.ics:9: ", "end = \"inclusive\" or end = \"exclusive\""));
  }
  GIVEN("a single day with VALUE=DATE that ends on the day that it begins on") {
    const auto reading = read(calendar(longer + equal));
    CHECK(reading.occurrences == Lines{"2026-07-20..2026-09-01", "2026-05-26"});
    REQUIRE(reading.faults.size() == 1);
    CHECK(reading.says("a.ics:9: warning: ", "“DTEND;VALUE=DATE:20260526” ends an event on the day that it begins on"));
  }
  GIVEN("single days with VALUE=DATE written both ways") {
    const auto reading = read(calendar(longer + equal + next));
    CHECK(reading.occurrences == Lines{"2026-07-20..2026-08-31", "2026-05-26", "2026-10-03"});
    REQUIRE(reading.faults.size() == 1);
    CHECK(reading.says("a.ics:9: warning: ", "contradicts itself"));
    CHECK(reading.says("a.ics:9: ", "a.ics:13"));
    CHECK(reading.says("a.ics:9: ", "end = \"inclusive\" or end = \"exclusive\""));
  }
  GIVEN("a bare single day beside RFC 5545's") {
    const auto reading = read(calendar(event({"DTSTART:20260526", "DTEND:20260526"}) + longer + next));
    CHECK(reading.occurrences == Lines{"2026-05-26", "2026-07-20..2026-08-31", "2026-10-03"});
  }
  GIVEN("a feed without such a date") {
    const auto reading = read(calendar(longer + next));
    CHECK(reading.occurrences == Lines{"2026-07-20..2026-08-31", "2026-10-03"});
    CHECK(reading.faults.empty());
  }
  GIVEN("a bare DTSTART without an end") { CHECK(occurrences({"DTSTART:20260526"}) == Lines{"2026-05-26"}); }
  GIVEN("evidence in a cancelled event alone") {
    CHECK(read(calendar(longer + event({"DTSTART:20260102", "DTEND:20260102", "STATUS:CANCELLED"}))).faults.empty());
  }
  GIVEN("an end set by hand") {
    for (const auto& feed : {calendar(longer + bare), calendar(longer + equal), calendar(longer + equal + next)}) {
      CHECK(read(feed, EventEnd::exclusive).faults.empty());
      CHECK(read(feed, EventEnd::inclusive).faults.empty());
      CHECK(read(feed, EventEnd::exclusive).occurrences.front() == "2026-07-20..2026-08-31");
      CHECK(read(feed, EventEnd::inclusive).occurrences.front() == "2026-07-20..2026-09-01");
    }
    CHECK(read(calendar(next), EventEnd::inclusive).occurrences == Lines{"2026-10-03..2026-10-04"});
    CHECK(read(calendar(equal), EventEnd::exclusive).occurrences == Lines{"2026-05-26"});
  }
}

TEST_CASE("an event that ends before it begins is an error with its line") {
  CHECK(faults({"DTSTART;VALUE=DATE:20260330", "SUMMARY:x", "DTEND;VALUE=DATE:20260329"}) ==
        Lines{"a.ics:6: error: the event ends before it begins"});
  CHECK(faults({"DTSTART:20260330T080000", "DTEND:20260330T075959"}) == Lines{"a.ics:5: error: the event ends before it begins"});
  CHECK(read(calendar(event({"DTSTART:20260330", "DTEND:20260329"})), EventEnd::inclusive).says("a.ics:5: error: "));
}

TEST_CASE("timed events keep their kind: floating, in a zone, in UTC") {
  CHECK(occurrences({"DTSTART:20260330T080000", "DTEND:20260330T093000"}) == Lines{"2026-03-30T08:00..2026-03-30T09:30"});
  CHECK(occurrences({"DTSTART:20260330T080000Z", "DTEND:20260330T093000Z"}) == Lines{"2026-03-30T08:00..2026-03-30T09:30Z"});
  CHECK(occurrences({"DTSTART;TZID=Europe/Berlin:20260330T080000", "DTEND;TZID=Europe/London:20260330T093000"}) ==
        Lines{"2026-03-30T06:00..2026-03-30T08:30Z"});
  CHECK(occurrences({"DTSTART;TZID=Europe/Berlin:20260330T080000", "DTEND:20260330T070000Z"}) ==
        Lines{"2026-03-30T06:00..2026-03-30T07:00Z"});
  // Without an end: a moment. An end without a zone is in the start's.
  CHECK(occurrences({"DTSTART:20260330T080000"}) == Lines{"2026-03-30T08:00..2026-03-30T08:00"});
  CHECK(occurrences({"DTSTART;TZID=Europe/Berlin:20260330T080000", "DTEND:20260330T093000"}) ==
        Lines{"2026-03-30T06:00..2026-03-30T07:30Z"});
  CHECK(faults({"DTSTART:20260330", "DTEND:20260330T093000"}).front().starts_with("a.ics:5: error: DTEND is a time"));
  CHECK(faults({"DTSTART:20260330T080000", "DTEND;VALUE=DATE:20260331"}).front().starts_with("a.ics:5: error: DTEND is a day"));
}

TEST_CASE("DURATION gives the end: days by the calendar, the rest by the clock") {
  CHECK(occurrences({"DTSTART;VALUE=DATE:20260330", "DURATION:P2D"}) == Lines{"2026-03-30..2026-03-31"});
  CHECK(occurrences({"DTSTART;VALUE=DATE:20260330", "DURATION:P1W"}) == Lines{"2026-03-30..2026-04-05"});
  CHECK(occurrences({"DTSTART;VALUE=DATE:20260330", "DURATION:P0D"}) == Lines{"2026-03-30"});
  CHECK(occurrences({"DTSTART;VALUE=DATE:20260330", "DURATION:PT36H"}) == Lines{"2026-03-30..2026-03-31"});
  CHECK(occurrences({"DTSTART:20260330T080000", "DURATION:PT1H30M"}) == Lines{"2026-03-30T08:00..2026-03-30T09:30"});
  // The night of 2026-03-29 lacks an hour.
  CHECK(occurrences({"DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:P1D"}) ==
        Lines{"2026-03-28T11:00..2026-03-29T10:00Z"});
  CHECK(occurrences({"DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:PT24H"}) ==
        Lines{"2026-03-28T11:00..2026-03-29T11:00Z"});
  for (const auto* wrong : {"DURATION:-P1D", "DURATION:P", "DURATION:P1X", "DURATION:P99999999999D", "DURATION:", "DURATION:1D"})
    CHECK(faults({"DTSTART:20260330", wrong}).front().starts_with("a.ics:5: error: "));
  CHECK(
      faults({"DTSTART:20260330", "DTEND:20260330", "DURATION:P1D"}).front().starts_with("a.ics:6: error: DURATION beside DTEND"));
}

TEST_CASE("only dates that are written as dates are read, with the line of what is not") {
  for (const auto* wrong : {"DTSTART:2026033x", "DTSTART:20260230", "DTSTART:2026-03-30", "DTSTART:20260330T240000",
                            "DTSTART:20260330T08000", "DTSTART:20260330 080000", "DTSTART:+2260330",
                            "DTSTART:", "DTSTART;VALUE=DATE", "DTSTART:20260330T080000X", "DTSTART:20260330,20260331"}) {
    CAPTURE(wrong);
    CHECK(faults({"SUMMARY:x", wrong}).front().starts_with("a.ics:5: error: "));
  }
  const auto without_colon = read(calendar(event({"SUMMARY:x", "DTSTART"})));
  CHECK(without_colon.says("a.ics:3: error: an event without DTSTART"));
  CHECK(without_colon.says("a.ics:5: warning: this is no iCalendar property"));
  CHECK(faults({"SUMMARY:x"}) == Lines{"a.ics:3: error: an event without DTSTART: expected the day or time that it begins at"});
  CHECK(faults({"DTSTART:20260330", "DTSTART:20260330"}) == Lines{"a.ics:5: error: DTSTART stands twice in one event"});
  // All of them are told, and what can be read is.
  const auto reading = read(calendar(event({"DTSTART:x"}) + event({"DTSTART:20260330"}) + event({"DTSTART:y"})));
  CHECK(reading.faults.size() == 2);
  CHECK(reading.occurrences == Lines{"2026-03-30"});
}

TEST_CASE("a day that moves with Easter is worked out for each year") {
  const auto days = occurrences({"DTSTART;VALUE=DATE:19700329", "X-SCHULTOR-EASTER:0"});
  REQUIRE(days.size() == 68);
  for (const auto* known : {"1970-03-29", "1981-04-19", "1999-04-04", "2000-04-23", "2008-03-23", "2011-04-24", "2024-03-31",
                            "2025-04-20", "2026-04-05", "2027-03-28", "2028-04-16", "2029-04-01", "2035-03-25", "2037-04-05"})
    CHECK(std::find(days.begin(), days.end(), known) != days.end());
  // Gauss's rule with Lichtenberg's correction is another way to the same days.
  for (int year = 1970; year <= 2037; ++year) {
    const int k = year / 100;
    const int m = 15 + (3 * k + 3) / 4 - (8 * k + 13) / 25;
    const int s = 2 - (3 * k + 3) / 4;
    const int a = year % 19;
    const int d = (19 * a + m) % 30;
    const int r = (d + a / 11) / 29;
    const int og = 21 + d - r;
    const int sz = 7 - (year + year / 4 + s) % 7;
    const int oe = 7 - (og - sz) % 7;
    const auto easter = date::local_days(date::year(year) / 3 / 1) + date::days(og + oe - 1);
    CHECK(days[static_cast<std::size_t>(year - 1970)] == date::format("%F", easter));
  }
  CHECK(occurrences({"DTSTART;VALUE=DATE:20360411", "DTEND;VALUE=DATE:20360413", "X-SCHULTOR-EASTER:-2"}) ==
        Lines{"2036-04-11..2036-04-12", "2037-04-03..2037-04-04"});
  CHECK(occurrences({"DTSTART;VALUE=DATE:20360522", "X-SCHULTOR-EASTER:+39", "EXDATE;VALUE=DATE:20370514"}) == Lines{"2036-05-22"});
  CHECK(occurrences({"DTSTART:20370403T180000", "DURATION:PT2H", "X-SCHULTOR-EASTER:-2"}) ==
        Lines{"2037-04-03T18:00..2037-04-03T20:00"});
  CHECK(faults({"DTSTART;VALUE=DATE:20260402", "X-SCHULTOR-EASTER:-2"}) ==
        Lines{"a.ics:4: error: DTSTART is not -2 days after Easter Sunday as X-SCHULTOR-EASTER says, expected 20260403"});
  for (const auto* wrong : {"X-SCHULTOR-EASTER:", "X-SCHULTOR-EASTER:x", "X-SCHULTOR-EASTER:1x", "X-SCHULTOR-EASTER:-81",
                            "X-SCHULTOR-EASTER:251", "X-SCHULTOR-EASTER:99999999999"})
    CHECK(faults({"DTSTART;VALUE=DATE:20260403", wrong}).front().starts_with("a.ics:5: error: X-SCHULTOR-EASTER: "));
  CHECK(
      faults({"DTSTART;VALUE=DATE:20260403", "X-SCHULTOR-EASTER:-2", "RRULE:FREQ=YEARLY"}).front().starts_with("a.ics:6: error: "));
}

TEST_CASE("what lies outside of the years that are read is left out") {
  CHECK(occurrences({"DTSTART;VALUE=DATE:19691230", "DTEND;VALUE=DATE:19700103"}) == Lines{"1970-01-01..1970-01-02"});
  CHECK(occurrences({"DTSTART;VALUE=DATE:20371230", "DTEND;VALUE=DATE:99991231"}) == Lines{"2037-12-30..2037-12-31"});
  CHECK(occurrences({"DTSTART:20371231T230000Z", "DURATION:P1D"}) == Lines{"2037-12-31T23:00..2038-01-01T00:00Z"});
  CHECK(faults({"DTSTART;VALUE=DATE:19690101"}) == Lines{"a.ics: warning: the calendar holds no events from 1970 to 2037"});
  CHECK(faults({"DTSTART:20380101T000000Z"}) == Lines{"a.ics: warning: the calendar holds no events from 1970 to 2037"});
}
