// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/window.hpp"
#include "tests/catch.hpp"

#include <tuple>
#include <vector>

using namespace schultor::config;
using std::chrono::minutes;

TEST_CASE("a window is read as the contract writes it") {
  struct Case {
    const char* text;
    unsigned weekdays;
    int start;
    int end;
  };
  const std::vector<Case> cases{
      {"Mon..Fri 08:00-17:00", 0x1f, 480, 1020}, {"Mon,Wed..Fri 07:45-12:30", 0x1d, 465, 750},  {"09:00-13:00", 0x7f, 540, 780},
      {"Sat..Mon 00:00-24:00", 0x61, 0, 1440},   {"Sun 22:00-06:30", 0x40, 1320, 390},          {"Fri 22:00-00:00", 0x10, 1320, 0},
      {"Tue..Tue 10:00-11:00", 0x02, 600, 660},  {"  Mon , Wed  08:00-09:00 ", 0x05, 480, 540},
  };
  for (const auto& [text, weekdays, start, end] : cases) {
    INFO(text);
    const auto window = parse_window(text, {"city.toml", 3, 4});
    REQUIRE(window);
    CHECK(window->weekdays == weekdays);
    CHECK(window->start == minutes{start});
    CHECK(window->end == minutes{end});
    CHECK(window->source.line == 3);
  }
}

TEST_CASE("what is no window is refused and says what was expected") {
  for (const auto* text : {"",
                           "Mon",
                           "Mon..Fri",
                           "08:00",
                           "Mon..Fri 8:00-17:00",
                           "Mon..Fri 08:00-24:01",
                           "24:00-08:00",
                           "25:00-26:00",
                           "08:60-09:00",
                           "08:00-08:00",
                           "Mo 08:00-09:00",
                           "mon 08:00-09:00",
                           "Mon..  08:00-09:00",
                           "Mon,,Tue 08:00-09:00",
                           ",Mon 08:00-09:00",
                           "Mon..Wed..Fri 08:00-09:00",
                           "Mon 08:00–09:00",
                           "Mon 08:00-09:00-10:00",
                           "Mon 08:00 - 09:00",
                           "-",
                           " - "}) {
    INFO(text);
    const auto window = parse_window(text, {});
    REQUIRE_FALSE(window);
    CHECK(
        (window.error().what().find("expected") != std::string::npos || window.error().what().find("write") != std::string::npos));
  }
}

TEST_CASE("days in another case, longer or in German are told what is meant") {
  const auto said = [](std::string_view text) {
    const auto window = parse_window(text, {});
    REQUIRE_FALSE(window);
    return std::string(window.error().what());
  };
  CHECK(said("mon..fri 08:00-09:00").ends_with("did you mean “Mon..Fri”?"));
  CHECK(said("Mo..Do 08:00-09:00").ends_with("did you mean “Mon..Thu”?"));
  CHECK(said("Wednesday 08:00-09:00").ends_with("did you mean “Wed”?"));
  CHECK(said("Xyz 08:00-09:00").ends_with("such as Mon..Fri"));
}
