// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/http_date.hpp"

#include "tests/catch.hpp"

using namespace schultor::cache;
using std::chrono::seconds;
using std::chrono::sys_seconds;

namespace {

const sys_seconds now{seconds{1'795'000'000}};  // in November 2026

std::optional<sys_seconds> read(std::string_view text) { return read_http_date(text, now); }

}  // namespace

TEST_CASE("all three formats of a date are read") {
  const sys_seconds instant{seconds{784'111'777}};
  CHECK(read("Sun, 06 Nov 1994 08:49:37 GMT") == instant);
  CHECK(read("Sunday, 06-Nov-94 08:49:37 GMT") == instant);
  CHECK(read("Sun Nov  6 08:49:37 1994") == instant);
  CHECK(read("SUN, 06 NOV 1994 08:49:37 gMT") == instant);
  CHECK(read("Sun, 31 Dec 1995 23:59:60 GMT") == sys_seconds{seconds{820'454'400}});
  CHECK(read("Mon, 01 Jan 0001 00:00:00 GMT") < sys_seconds{});
}

TEST_CASE("a year of two digits is at most fifty years ahead") {
  CHECK(read("Thursday, 18-Aug-50 02:01:18 GMT") == read("Thu, 18 Aug 2050 02:01:18 GMT"));
  CHECK(read("Tuesday, 18-Aug-76 02:01:18 GMT") == read("Tue, 18 Aug 2076 02:01:18 GMT"));
  CHECK(read("Thursday, 18-Aug-77 02:01:18 GMT") == read("Thu, 18 Aug 1977 02:01:18 GMT"));
  // In 1999 the year 03 is one of the next century.
  CHECK(read_http_date("Monday, 06-Jan-03 00:00:00 GMT", *read("Sun, 06 Jun 1999 00:00:00 GMT")) ==
        read("Mon, 06 Jan 2003 00:00:00 GMT"));
}

TEST_CASE("what is only like a date is none") {
  for (const auto* text : {"",
                           "0",
                           "-1",
                           "foo",
                           "Thu, 18 Aug 2050 02:01:18 UTC",
                           "Thu, 18 Aug 2050 02:01:18 AEST",
                           "Thu, 18 Aug 50 02:01:18 GMT",
                           "Thu 18 Aug 2050 02:01:18 GMT",
                           "Thu, 18  Aug  2050 02:01:18 GMT",
                           "Thu, 18-Aug-2050 02:01:18 GMT",
                           "Thu, 18 Aug 2050 02.01.18 GMT",
                           "Thu, 18 Aug 2050 2:01:18 GMT",
                           "Thu, 18 Aug 2050 02:01:18 GMT ",
                           " Thu, 18 Aug 2050 02:01:18 GMT",
                           "Thu, 18 Aug 2050 02:01:18",
                           "Thu, 31 Feb 2050 02:01:18 GMT",
                           "Thu, 00 Aug 2050 02:01:18 GMT",
                           "Thu, 18 Aug 2050 24:00:00 GMT",
                           "Thu, 18 Aug 2050 02:60:18 GMT",
                           "Thu, 18 Aug 2050 02:01:61 GMT",
                           "Xyz, 18 Aug 2050 02:01:18 GMT",
                           "Thu, 18 Xyz 2050 02:01:18 GMT",
                           "Thu Aug 18 02:01:18 50",
                           "Thu, 18 Aug 20500 02:01:18 GMT",
                           "Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:18 GMT"}) {
    INFO(text);
    CHECK_FALSE(read(text));
  }
}

TEST_CASE("a date is written in the format that is to be sent") {
  CHECK(to_http_date(sys_seconds{seconds{784'111'777}}) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(read(to_http_date(now)) == now);
}
