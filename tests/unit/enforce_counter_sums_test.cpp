// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/counter_sums.hpp"
#include "tests/catch.hpp"

using namespace schultor::enforce;
using Sums = std::map<std::string, std::uint64_t>;

SCENARIO("no sum falls, whatever becomes of the counters") {
  CounterSums sums;
  CHECK(sums.take({{"refused_school", 4, 10}, {"refused_exam", 5, 1}}));
  CHECK_FALSE(sums.take({{"refused_exam", 5, 1}, {"refused_school", 4, 10}}));
  CHECK(sums.take({{"refused_school", 4, 12}, {"refused_exam", 5, 1}}));
  CHECK(sums.sums() == Sums{{"refused_exam", 1}, {"refused_school", 12}});
  SECTION("the table was made anew, and has counted more since than before") {
    sums.take({{"refused_school", 9, 20}, {"refused_exam", 8, 0}});
    CHECK(sums.sums() == Sums{{"refused_exam", 1}, {"refused_school", 32}});
  }
  SECTION("somebody set them to 0") {
    sums.take({{"refused_school", 4, 3}, {"refused_exam", 5, 0}});
    CHECK(sums.sums() == Sums{{"refused_exam", 1}, {"refused_school", 15}});
  }
  SECTION("a profile goes and comes back") {
    sums.take({{"refused_school", 4, 12}});
    CHECK(sums.sums() == Sums{{"refused_exam", 1}, {"refused_school", 12}});
    sums.take({{"refused_school", 4, 12}, {"refused_exam", 7, 5}});
    CHECK(sums.sums() == Sums{{"refused_exam", 6}, {"refused_school", 12}});
  }
  SECTION("the daemon starts anew") {
    auto kept = CounterSums::from_json(sums.to_json());
    REQUIRE(kept);
    CHECK(*kept == sums);
    kept->take({{"refused_school", 4, 15}, {"refused_exam", 5, 1}});
    CHECK(kept->sums() == Sums{{"refused_exam", 1}, {"refused_school", 15}});
  }
}

SCENARIO("what is kept of counters is read strictly") {
  CHECK(CounterSums::from_json("{}"));
  for (const char* text : {"", "[]", "7", R"({"a":1})", R"({"a":[1,2]})", R"({"a":[1,2,-3]})", R"({"a":[1,2,"3"]})", "{\"a\":"})
    CHECK_FALSE(CounterSums::from_json(text));
}
