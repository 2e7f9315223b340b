// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/catch.hpp"
#include "tests/unit/calendar_helpers.hpp"

#include <fstream>
#include <map>
#include <sstream>

using namespace calendar_helpers;

TEST_CASE("the calendar of public holidays that is installed has each year's days, as the Easter tables print them") {
  std::ostringstream text;
  std::ifstream file(std::string(SCHULTOR_SOURCE_DIR) + "/config/calendars/nrw-feiertage.ics", std::ios::binary);
  text << file.rdbuf();
  const auto reading = read(text.str());
  CHECK(reading.faults.empty());
  std::map<std::string, Lines> from_2026_to_2029;
  for (const auto& event : reading.events)
    for (const auto& occurrence : event.occurrences) {
      const auto date = to_string(occurrence);
      if (date >= "2026" && date < "2030") from_2026_to_2029[event.summary].push_back(date);
    }
  CHECK(from_2026_to_2029 == std::map<std::string, Lines>{
                                 {"Neujahr", {"2026-01-01", "2027-01-01", "2028-01-01", "2029-01-01"}},
                                 {"Karfreitag", {"2026-04-03", "2027-03-26", "2028-04-14", "2029-03-30"}},
                                 {"Ostermontag", {"2026-04-06", "2027-03-29", "2028-04-17", "2029-04-02"}},
                                 {"Tag der Arbeit", {"2026-05-01", "2027-05-01", "2028-05-01", "2029-05-01"}},
                                 {"Christi Himmelfahrt", {"2026-05-14", "2027-05-06", "2028-05-25", "2029-05-10"}},
                                 {"Pfingstmontag", {"2026-05-25", "2027-05-17", "2028-06-05", "2029-05-21"}},
                                 {"Fronleichnam", {"2026-06-04", "2027-05-27", "2028-06-15", "2029-05-31"}},
                                 {"Tag der Deutschen Einheit", {"2026-10-03", "2027-10-03", "2028-10-03", "2029-10-03"}},
                                 {"Allerheiligen", {"2026-11-01", "2027-11-01", "2028-11-01", "2029-11-01"}},
                                 {"1. Weihnachtstag", {"2026-12-25", "2027-12-25", "2028-12-25", "2029-12-25"}},
                                 {"2. Weihnachtstag", {"2026-12-26", "2027-12-26", "2028-12-26", "2029-12-26"}},
                             });
}
