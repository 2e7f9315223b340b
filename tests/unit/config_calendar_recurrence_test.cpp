// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/catch.hpp"
#include "tests/unit/calendar_helpers.hpp"

#include <fmt/format.h>

#include <functional>
#include <random>

using namespace calendar_helpers;

namespace {

/// As Outlook writes a zone.
constexpr std::string_view outlook_zone =
    "BEGIN:VTIMEZONE\r\nTZID:W. Europe Standard Time\r\n"
    "BEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n"
    "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\n"
    "BEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n"
    "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n";

}  // namespace

TEST_CASE("rules recur: by count, until a day or an instant, and without end up to the last year") {
  CHECK(occurrences({"DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=DAILY;INTERVAL=10;COUNT=3"}) ==
        Lines{"2026-01-01", "2026-01-11", "2026-01-21"});
  CHECK(occurrences({"DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=WEEKLY;BYDAY=MO,FR;UNTIL=20260116"}) ==
        Lines{"2026-01-05", "2026-01-09", "2026-01-12", "2026-01-16"});
  CHECK(occurrences({"DTSTART;VALUE=DATE:20350501", "DTEND;VALUE=DATE:20350503", "RRULE:FREQ=YEARLY"}) ==
        Lines{"2035-05-01..2035-05-02", "2036-05-01..2036-05-02", "2037-05-01..2037-05-02"});
  CHECK(occurrences({"DTSTART:20260131T100000", "DURATION:PT1H", "RRULE:FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3"}) ==
        Lines{"2026-01-31T10:00..2026-01-31T11:00", "2026-02-28T10:00..2026-02-28T11:00", "2026-03-31T10:00..2026-03-31T11:00"});
  CHECK(occurrences({"DTSTART;VALUE=DATE:20260525", "RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;COUNT=3"}) ==
        Lines{"2026-05-25", "2027-05-31", "2028-05-29"});
  CHECK(occurrences({"DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=YEARLY;BYWEEKNO=2,3;BYDAY=MO;COUNT=3"}) ==
        Lines{"2026-01-05", "2026-01-12", "2027-01-11"});
  CHECK(occurrences({"DTSTART:20260101T080000", "RRULE:FREQ=HOURLY;INTERVAL=6;COUNT=3"}) ==
        Lines{"2026-01-01T08:00..2026-01-01T08:00", "2026-01-01T14:00..2026-01-01T14:00", "2026-01-01T20:00..2026-01-01T20:00"});
  CHECK(occurrences({"DTSTART:20260101T080000", "RRULE:FREQ=MINUTELY;INTERVAL=90;UNTIL=20260101T093000"}).size() == 2);
  CHECK(occurrences({"DTSTART:20260101T080000", "RRULE:FREQ=SECONDLY;INTERVAL=30;COUNT=4"}).size() == 4);
  // libical walks BYHOUR as written; a rule is in the order of time all the same.
  CHECK(occurrences({"DTSTART:20260101T080000", "RRULE:FREQ=DAILY;BYHOUR=10,8;COUNT=3"}) ==
        Lines{"2026-01-01T08:00..2026-01-01T08:00", "2026-01-01T10:00..2026-01-01T10:00", "2026-01-02T08:00..2026-01-02T08:00"});
  // A day as UNTIL is meant with all its hours, and an instant in the zone of the event.
  CHECK(occurrences({"DTSTART:20260101T080000", "RRULE:FREQ=DAILY;UNTIL=20260102"}).size() == 2);
  CHECK(occurrences({"DTSTART;TZID=Europe/Berlin:20260101T080000", "RRULE:FREQ=DAILY;UNTIL=20260102T070000Z"}).size() == 2);
  CHECK(occurrences({"DTSTART;TZID=Europe/Berlin:20260101T080000", "RRULE:FREQ=DAILY;UNTIL=20260102T065959Z"}).size() == 1);
}

TEST_CASE("parts of rules name days together, from the end and in any week") {
  CHECK(occurrences({"DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE;BYSETPOS=1;COUNT=3"}) ==
        Lines{"2026-01-05", "2026-01-12", "2026-01-19"});
  CHECK(occurrences({"DTSTART;VALUE=DATE:20260115", "RRULE:FREQ=YEARLY;BYMONTHDAY=-1,15;COUNT=4"}) ==
        Lines{"2026-01-15", "2026-01-31", "2026-02-15", "2026-02-28"});
  // With weeks from Sunday, 2025's last one begins on 2025-12-28 as 2026's first has four days of January.
  CHECK(occurrences({"DTSTART;VALUE=DATE:20241224", "RRULE:FREQ=YEARLY;BYWEEKNO=-1;BYDAY=TU,WE;WKST=SU;COUNT=4"}) ==
        Lines{"2024-12-24", "2024-12-25", "2025-12-30", "2025-12-31"});
  CHECK(occurrences({"DTSTART;VALUE=DATE:20260131", "RRULE:FREQ=DAILY;BYMONTHDAY=-1;COUNT=3"}) ==
        Lines{"2026-01-31", "2026-02-28", "2026-03-31"});
  CHECK(occurrences({"DTSTART;VALUE=DATE:20251229", "RRULE:FREQ=YEARLY;BYWEEKNO=1;COUNT=3"}) ==
        Lines{"2025-12-29", "2027-01-04", "2028-01-03"});
  CHECK(occurrences({"DTSTART;VALUE=DATE:20261231", "RRULE:FREQ=YEARLY;BYYEARDAY=-1,100;COUNT=3"}) ==
        Lines{"2026-12-31", "2027-04-10", "2027-12-31"});
}

TEST_CASE("a rule without a clear meaning is refused with the reason") {
  const auto said = [](const char* rule) { return faults({"DTSTART;VALUE=DATE:20260105", rule}).front(); };
  CHECK(said("RRULE:FREQ=WEEKLY;BYDAY=1MO").find("a numbered BYDAY is for FREQ=MONTHLY") != std::string::npos);
  CHECK(said("RRULE:FREQ=YEARLY;BYWEEKNO=20;BYDAY=1MO").find("beside BYWEEKNO") != std::string::npos);
  CHECK(said("RRULE:FREQ=YEARLY;INTERVAL=2;BYWEEKNO=1").find("two years") != std::string::npos);
  CHECK(said("RRULE:FREQ=WEEKLY;BYMONTHDAY=3").find("BYMONTHDAY is not for FREQ=WEEKLY") != std::string::npos);
  CHECK(said("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30").find("names no time from DTSTART to the end of 2037") !=
        std::string::npos);
}

TEST_CASE("an event recurs by the local clock across a change of the clocks") {
  const auto lines =
      Lines{"2026-03-28T07:00..2026-03-28T09:00Z", "2026-03-29T06:00..2026-03-29T08:00Z", "2026-03-30T06:00..2026-03-30T08:00Z"};
  CHECK(occurrences({"DTSTART;TZID=Europe/Berlin:20260328T080000", "DTEND;TZID=Europe/Berlin:20260328T100000",
                     "RRULE:FREQ=DAILY;COUNT=3"}) == lines);
  CHECK(occurrences({"DTSTART;TZID=W. Europe Standard Time:20260328T080000", "DTEND;TZID=W. Europe Standard Time:20260328T100000",
                     "RRULE:FREQ=DAILY;COUNT=3"},
                    outlook_zone) == lines);
  // 02:30 does not exist on 2026-03-29 and is taken with the offset before; on 2026-10-25 it is the first of two.
  for (const auto* tzid : {"Europe/Berlin", "W. Europe Standard Time"}) {
    const auto start = "DTSTART;TZID=" + std::string(tzid);
    CHECK(occurrences({start + ":20260329T023000"}, outlook_zone) == Lines{"2026-03-29T01:30..2026-03-29T01:30Z"});
    CHECK(occurrences({start + ":20261025T023000"}, outlook_zone) == Lines{"2026-10-25T00:30..2026-10-25T00:30Z"});
    CHECK(occurrences({start + ":20261025T033000"}, outlook_zone) == Lines{"2026-10-25T02:30..2026-10-25T02:30Z"});
  }
}

TEST_CASE("a TZID is the file's VTIMEZONE, else a name of the tz database, else the gateway's own with a warning") {
  constexpr std::string_view fixed =
      "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0500\r\n"
      "TZOFFSETTO:+0500\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
      "BEGIN:VTIMEZONE\r\nTZID:(UTC+05:00) Somewhere\\, far\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0500\r\n"
      "TZOFFSETTO:+0500\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";
  const Lines five{"2026-07-01T07:00..2026-07-01T07:00Z"};
  const Lines berlin{"2026-07-01T10:00..2026-07-01T10:00Z"};
  CHECK(occurrences({"DTSTART;TZID=Europe/Berlin:20260701T120000"}, fixed) == five);
  CHECK(occurrences({"DTSTART;TZID=\"(UTC+05:00) Somewhere, far\":20260701T120000"}, fixed) == five);
  CHECK(occurrences({"DTSTART;TZID=Europe/Berlin:20260701T120000"}) == berlin);
  CHECK(occurrences({"DTSTART;VALUE=DATE-TIME;TZID=\"Europe/Berlin\":20260701T120000"}) == berlin);
  CHECK(occurrences({"DTSTART;TZID=/example.org/20260101_1/Europe/Berlin:20260701T120000"}) == berlin);
  // A zone after its use, and another calendar's zone.
  CHECK(read("BEGIN:VCALENDAR\n" + event({"DTSTART;TZID=Europe/Berlin:20260701T120000"}) + std::string(fixed) + "END:VCALENDAR\n")
            .occurrences == five);
  CHECK(read(calendar(fixed) + calendar(event({"DTSTART;TZID=Europe/Berlin:20260701T120000"}))).occurrences == berlin);

  const auto unknown = read(calendar(event({"SUMMARY:a", "DTSTART;TZID=Central/Nowhere:20260701T120000"}) +
                                     event({"DTSTART;TZID=Central/Nowhere:20260701T120000"})));
  CHECK(unknown.occurrences == Lines{"2026-07-01T12:00..2026-07-01T12:00", "2026-07-01T12:00..2026-07-01T12:00"});
  REQUIRE(unknown.faults.size() == 1);
  CHECK(unknown.says("a.ics:5: warning: ", "“Central/Nowhere”"));
  const auto broken =
      read(calendar("BEGIN:VTIMEZONE\r\nTZID:X\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETTO:+0500\r\n"
                    "END:STANDARD\r\nEND:VTIMEZONE\r\n" +
                    event({"DTSTART;TZID=X:20260701T120000"})));
  CHECK(broken.says("a.ics:5: error: ", "TZOFFSETFROM"));
}

TEST_CASE("RDATE adds and EXDATE takes away") {
  CHECK(occurrences({"DTSTART;VALUE=DATE:20260105", "RDATE;VALUE=DATE:20260107,20260106", "RDATE;VALUE=DATE:20260105"}) ==
        Lines{"2026-01-05", "2026-01-06", "2026-01-07"});
  CHECK(occurrences({"DTSTART:20260105T080000Z", "RDATE;VALUE=PERIOD:20260106T090000Z/PT2H,20260107T090000Z/20260107T100000Z"}) ==
        Lines{"2026-01-05T08:00..2026-01-05T08:00Z", "2026-01-06T09:00..2026-01-06T11:00Z", "2026-01-07T09:00..2026-01-07T10:00Z"});
  CHECK(occurrences({"DTSTART;TZID=Europe/Berlin:20260105T080000", "RDATE:20260106T070000Z",
                     "RDATE;TZID=Europe/London:20260107T070000", "RDATE;VALUE=DATE:20260108"}) ==
        Lines{"2026-01-05T07:00..2026-01-05T07:00Z", "2026-01-06T07:00..2026-01-06T07:00Z", "2026-01-07T07:00..2026-01-07T07:00Z",
              "2026-01-08T07:00..2026-01-08T07:00Z"});
  // However the exception is written: in the event's zone, in another, in UTC, as a day, on the clock.
  CHECK(occurrences({"DTSTART;TZID=Europe/Berlin:20260105T080000", "RRULE:FREQ=DAILY;COUNT=7",
                     "EXDATE;TZID=Europe/Berlin:20260105T080000,20260106T080000", "EXDATE;TZID=Europe/London:20260107T070000",
                     "EXDATE:20260108T070000Z", "EXDATE;VALUE=DATE:20260109", "EXDATE:20260110T080000",
                     "EXDATE:20260111T090000"}) == Lines{"2026-01-11T07:00..2026-01-11T07:00Z"});
  CHECK(occurrences({"DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20260106", "EXDATE:20260107T000000"}) ==
        Lines{"2026-01-05"});
  CHECK(faults({"DTSTART;VALUE=DATE:20260105", "RDATE:20260106T000000"}).front().starts_with("a.ics:5: error: RDATE is a time"));
  CHECK(faults({"DTSTART;VALUE=DATE:20260105", "EXDATE:2026010"}).front().starts_with("a.ics:5: error: EXDATE: "));
  CHECK(faults({"DTSTART;VALUE=DATE:20260105", "EXRULE:FREQ=DAILY"}).front().starts_with("a.ics:5: error: EXRULE"));
  std::string many = "EXDATE:20260105";
  for (int i = 0; i < 500; ++i) many += ",20260105";
  CHECK(faults({"DTSTART;VALUE=DATE:20260105", many}).front().starts_with("a.ics:5: error: more than 500"));
}

TEST_CASE("a changed instance takes the place of the original, a cancelled one leaves none") {
  const auto master = event({"UID:a", "DTSTART;TZID=Europe/Berlin:20260105T080000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4"});
  const auto moved =
      event({"UID:a", "RECURRENCE-ID;TZID=Europe/Berlin:20260106T080000", "DTSTART;TZID=Europe/Berlin:20260116T100000"});
  const auto cancelled = event({"UID:a", "RECURRENCE-ID:20260107T070000Z", "DTSTART:20260107T070000Z", "STATUS:CANCELLED"});
  const auto by_day = event({"UID:a", "RECURRENCE-ID;VALUE=DATE:20260108", "DTSTART:20260108T070000Z", "STATUS:CANCELLED"});
  const Lines left{"2026-01-05T07:00..2026-01-05T08:00Z", "2026-01-16T09:00..2026-01-16T09:00Z"};
  CHECK(read(calendar(master + moved + cancelled + by_day)).occurrences == left);
  CHECK(read(calendar(cancelled + by_day + master) + calendar(moved)).occurrences == left);
  // Another event's instances are not touched.
  CHECK(read(calendar(event({"UID:b", "DTSTART;TZID=Europe/Berlin:20260106T080000"}) + moved)).occurrences.size() == 2);
  CHECK(read(calendar(event({"UID:c", "DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=DAILY;COUNT=3"}) +
                      event({"UID:c", "RECURRENCE-ID;VALUE=DATE:20260106", "DTSTART;VALUE=DATE:20260120"})))
            .occurrences == Lines{"2026-01-05", "2026-01-07", "2026-01-20"});
  CHECK(faults({"UID:a", "DTSTART:20260105T080000", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260106T080000"})
            .front()
            .starts_with("a.ics:6: error: RECURRENCE-ID with RANGE"));
}

TEST_CASE("what is cancelled is no event") {
  const auto kept = event({"DTSTART;VALUE=DATE:20260105"});
  CHECK(read(calendar(kept + event({"DTSTART;VALUE=DATE:20260106", "STATUS:cancelled"}))).occurrences == Lines{"2026-01-05"});
  CHECK(read(calendar("METHOD:CANCEL\r\n" + kept) + calendar(event({"DTSTART;VALUE=DATE:20260107"}))).occurrences ==
        Lines{"2026-01-07"});
}

TEST_CASE("a rule that cannot be read, or that names nothing, is an error with its line") {
  for (const auto* wrong :
       {"RRULE:", "RRULE:FREQ=SOMETIMES", "RRULE:BYDAY=MO", "RRULE:FREQ=DAILY;INTERVAL=0", "RRULE:FREQ=DAILY;INTERVAL=65537",
        "RRULE:FREQ=DAILY;COUNT=0", "RRULE:FREQ=DAILY;COUNT=x", "RRULE:FREQ=DAILY;UNTIL=2026013x", "RRULE:FREQ=DAILY;UNTIL=",
        "RRULE:FREQ=YEARLY;BYDAY=257MO", "RRULE:FREQ=YEARLY;BYMONTH=13", "RRULE:FREQ=DAILY;COUNT=1;UNTIL=20260110",
        "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "RRULE:FREQ=WEEKLY;BYMONTHDAY=3", "RRULE:RSCALE=HEBREW;FREQ=YEARLY",
        "RRULE:FREQ=MONTHLY;SKIP=FORWARD;BYMONTHDAY=31", "RRULE:FREQ=DAILY;X=1", "RRULE:FREQ=HOURLY"})
    CHECK(faults({"DTSTART;VALUE=DATE:20260105", wrong}).front().starts_with("a.ics:5: error: "));
  CHECK(faults({"DTSTART:15820105T000000", "RRULE:FREQ=DAILY"}).front().find("before the year 1583") != std::string::npos);
  // One number more than libical's lists hold.
  std::string many = "RRULE:FREQ=DAILY;BYHOUR=1";
  for (int i = 0; i < 24; ++i) many += ",1";
  CHECK(faults({"DTSTART:20260105T000000", many}).front().starts_with("a.ics:5: error: BYHOUR="));
}

TEST_CASE("calendars that would take forever to be written out are refused, with what to do") {
  for (const auto* rule :
       {"RRULE:FREQ=SECONDLY", "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "RRULE:FREQ=MINUTELY;BYHOUR=1",
        "RRULE:FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;BYMINUTE=0,10,20,30,40,50"}) {
    const auto said = faults({"DTSTART:20260105T000000", rule});
    REQUIRE(said.size() == 1);
    CHECK(said.front().starts_with("a.ics:5: error: "));
    CHECK(said.front().find("UNTIL") != std::string::npos);
  }
  std::string barren;
  for (int i = 0; i < 1000; ++i) barren += event({"DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"});
  CHECK(read(calendar(barren)).faults.size() < 10);

  std::string yearly;
  for (int i = 0; i < 3000; ++i) yearly += event({"DTSTART;VALUE=DATE:19700105", "RRULE:FREQ=YEARLY"});
  CHECK(read(calendar(yearly)).faults.size() == 1);
  std::string zones;
  for (int i = 0; i < 100; ++i) {
    const auto name = "zone" + std::to_string(i);
    zones += "BEGIN:VTIMEZONE\r\nTZID:" + name +
             "\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=SECONDLY\r\n"
             "END:STANDARD\r\nEND:VTIMEZONE\r\n" +
             event({"DTSTART;TZID=" + name + ":20260701T120000"});
  }
  CHECK(read(calendar(zones)).says("a.ics:5: error: "));
}

TEST_CASE("rules name the days that a walk through the calendar finds") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto up_to = [&](int most) { return std::uniform_int_distribution<int>(1, most)(random); };
  constexpr const char* names[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
  for (int round = 0; round < 200; ++round) {
    const auto start = date::local_days(date::year(2020) / 1 / 1) + date::days(up_to(1500));
    const date::year_month_day first(start);
    const date::weekday weekday(start);
    const auto interval = up_to(4);
    const auto month = static_cast<unsigned>(up_to(12));
    const auto kind = up_to(5);
    const auto monday = [](date::local_days day) { return day - (date::weekday(day) - date::Monday); };
    std::string rule;
    std::function<bool(date::local_days)> named;
    if (kind == 1) {
      rule = fmt::format("FREQ=DAILY;INTERVAL={};BYMONTH={},{}", interval, month, static_cast<unsigned>(first.month()));
      named = [=](date::local_days day) {
        const auto m = date::year_month_day(day).month();
        return (day - start).count() % interval == 0 && (m == date::month(month) || m == first.month());
      };
    } else if (kind == 2) {
      const auto other = date::weekday(static_cast<unsigned>(up_to(7)) % 7);
      rule = fmt::format("FREQ=WEEKLY;INTERVAL={};BYDAY={},{}", interval, names[weekday.c_encoding()], names[other.c_encoding()]);
      named = [=](date::local_days day) {
        const date::weekday w(day);
        return (monday(day) - monday(start)).count() / 7 % interval == 0 && (w == weekday || w == other);
      };
    } else if (kind == 3) {
      rule = fmt::format("FREQ=MONTHLY;INTERVAL={}", interval);
      named = [=](date::local_days day) {
        const date::year_month_day ymd(day);
        const auto apart = (ymd.year() / ymd.month() - first.year() / first.month()).count();
        return ymd.day() == first.day() && apart % interval == 0;
      };
    } else if (kind == 4) {
      const auto nth = (static_cast<unsigned>(first.day()) - 1) / 7 + 1;
      rule = fmt::format("FREQ=MONTHLY;BYDAY={}{}", nth, names[weekday.c_encoding()]);
      named = [=](date::local_days day) {
        return date::weekday(day) == weekday && (static_cast<unsigned>(date::year_month_day(day).day()) - 1) / 7 + 1 == nth;
      };
    } else {
      rule = fmt::format("FREQ=YEARLY;INTERVAL={}", interval);
      named = [=](date::local_days day) {
        const date::year_month_day ymd(day);
        return ymd.month() == first.month() && ymd.day() == first.day() && (ymd.year() - first.year()).count() % interval == 0;
      };
    }
    const auto last = start + date::days(up_to(2000));
    Lines expected;
    for (auto day = start; day <= last; day += date::days(1))
      if (named(day)) expected.push_back(date::format("%F", day));
    const auto written = fmt::format("RRULE:{};UNTIL={}", rule, date::format("%Y%m%d", last));
    CAPTURE(written, date::format("%F", start));
    REQUIRE(occurrences({"DTSTART;VALUE=DATE:" + date::format("%Y%m%d", start), written}) == expected);
  }
}
