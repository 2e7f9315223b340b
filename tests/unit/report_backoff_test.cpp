// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/report/backoff.hpp"

#include "tests/catch.hpp"

using schultor::report::Backoff;
using namespace std::chrono_literals;

SCENARIO("a broker that is away is dialled less and less often, never too rarely, and not by all schools at once") {
  Backoff backoff(500ms, 60s);

  THEN("without luck the pauses are the full steps, doubling up to the longest") {
    constexpr double nearly_one = 0.999'999'999;
    for (const auto expected : {500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000}) {
      const auto pause = backoff.next(nearly_one).count();
      CHECK(pause <= expected);
      CHECK(pause >= expected - 1);
    }
  }
  THEN("chance shortens a pause to its half at most") {
    CHECK(backoff.next(0) == 250ms);
    CHECK(backoff.next(0.5) == 750ms);
  }
  THEN("a success lets it begin anew") {
    for (int i = 0; i < 20; ++i) CHECK(backoff.next(0) >= 250ms);
    backoff.reset();
    CHECK(backoff.next(0) == 250ms);
  }
}
