// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// The calendars that are installed, held against what a public feed publishes. The feed is not ours to ship: it is looked for in
// SCHULTOR_TEST_DATA, else in ../shared/data beside the sources; without it this program is skipped.
#include "daemon/config/calendar.hpp"
#include "tests/catch.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

using namespace schultor::config;

namespace {

constexpr int skipped = 77;

std::string contents(const std::filesystem::path& path) {
  std::ostringstream text;
  std::ifstream file(path, std::ios::binary);
  text << file.rdbuf();
  return text.str();
}

/// The feed's folder. Ends the program where there is none.
std::filesystem::path feeds() {
  const auto* given = std::getenv("SCHULTOR_TEST_DATA");
  const auto data = given != nullptr ? std::filesystem::path(given) : std::filesystem::path(SCHULTOR_SOURCE_DIR) / "../shared/data";
  if (std::filesystem::is_directory(data / "calendar")) return data / "calendar";
  std::printf("skipped: there are no feeds in %s/calendar; SCHULTOR_TEST_DATA says where they are\n", data.c_str());
  std::exit(skipped);
}

/// The events of a file that are read without an error, by the first day of each.
std::map<date::local_days, AllDay> events_of(const std::filesystem::path& path) {
  Diagnostics out;
  std::map<date::local_days, AllDay> result;
  for (const auto& event : read_calendar(contents(path), path.filename(), EventEnd::by_evidence, out))
    for (const auto& one : event.occurrences) {
      const auto days = std::get<AllDay>(one);
      result.emplace(days.first, days);
    }
  INFO(path);
  REQUIRE_FALSE(out.has_errors());
  return result;
}

std::filesystem::path feed_of(int year) { return feeds() / ("ferien_nordrhein-westfalen_" + std::to_string(year) + ".ics"); }

date::local_days day(int year, unsigned month, unsigned day_of_month) {
  return date::local_days(date::year(year) / date::month(month) / date::day(day_of_month));
}

std::string span(const AllDay& days) { return date::format("%F", days.first) + ".." + date::format("%F", days.last); }

bool in(const std::map<date::local_days, AllDay>& events, date::local_days date) {
  const auto after = events.upper_bound(date);
  return after != events.begin() && std::prev(after)->second.last >= date;
}

}  // namespace

TEST_CASE("each holiday of the feed lasts to its last day, and Good Friday lies within the Easter holidays") {
  const std::map<int, std::vector<std::string>> published{
      {2025,
       {"2025-04-14..2025-04-26", "2025-06-10..2025-06-10", "2025-07-14..2025-08-26", "2025-10-13..2025-10-25",
        "2025-12-22..2026-01-06"}},
      {2026,
       {"2026-03-30..2026-04-10", "2026-05-26..2026-05-26", "2026-07-20..2026-09-01", "2026-10-19..2026-10-30",
        "2026-12-23..2027-01-06"}},
      {2027,
       {"2027-03-22..2027-04-02", "2027-05-18..2027-05-18", "2027-07-19..2027-08-31", "2027-10-25..2027-11-05",
        "2027-12-24..2028-01-07"}},
      {2028, {"2028-04-10..2028-04-21", "2028-07-10..2028-08-22", "2028-10-23..2028-11-03", "2028-12-21..2029-01-05"}},
  };
  for (const auto& [year, spans] : published) {
    std::vector<std::string> read;
    for (const auto& [first, days] : events_of(feed_of(year))) read.push_back(span(days));
    CHECK(read == spans);
  }
  for (const auto good_friday : {day(2025, 4, 18), day(2026, 4, 3), day(2027, 3, 26), day(2028, 4, 14)})
    CHECK(in(events_of(feed_of(static_cast<int>(date::year_month_day(good_friday).year()))), good_friday));
}

TEST_CASE("the calendar of holidays that is installed says of each day of school what the feed says") {
  const auto installed = events_of(std::filesystem::path(SCHULTOR_SOURCE_DIR) / "config/calendars/nrw-ferien.ics");
  std::map<date::local_days, AllDay> feed;
  for (const int year : {2025, 2026, 2027, 2028}) feed.merge(events_of(feed_of(year)));
  // From the first holiday of the one to the last of the other. The feed ends some on a Friday, the ministry on the Saturday.
  std::size_t days = 0;
  for (auto date = day(2025, 12, 22); date <= day(2029, 1, 5); date += date::days{1}) {
    if (date::weekday(date).iso_encoding() > 5) continue;
    ++days;
    INFO(date::format("%F", date));
    CHECK(in(installed, date) == in(feed, date));
  }
  CHECK(days > 750);
}
