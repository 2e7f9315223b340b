// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// The timer behind every mode switch, against the kernel's clock. Setting the clock to what it shows already makes no
// difference to anybody else on the machine, and the kernel tells of it all the same.
#include "daemon/base/realtime_timer.hpp"
#include "tests/catch.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

namespace {

using namespace schultor;
using std::chrono::microseconds;

constexpr auto patience = std::chrono::seconds(20);

/// Whether the clock may be set; a process that may not ends with 77: skipped, not passed.
void set_clock_to_itself() {
  timespec now{};
  if (clock_gettime(CLOCK_REALTIME, &now) == 0 && clock_settime(CLOCK_REALTIME, &now) == 0) return;
  std::puts("skipped: setting the clock wants CAP_SYS_TIME");
  std::fflush(stdout);
  std::_Exit(77);
}

microseconds now() { return std::chrono::floor<microseconds>(std::chrono::system_clock::now().time_since_epoch()); }

struct Timer {
  base::EventLoop loop = std::move(*base::EventLoop::create());
  std::vector<bool> fired;
  base::RealtimeTimer timer =
      std::move(*base::RealtimeTimer::create(loop, [this](bool clock_was_set) { fired.push_back(clock_was_set); }));

  void wait() {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (fired.empty()) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      REQUIRE(sd_event_run(loop.native(), 100'000) >= 0);
    }
  }
};

}  // namespace

SCENARIO("a timer fires at its time, and at once when that has passed") {
  for (const auto due : {microseconds(50'000), microseconds(-5'000'000)}) {
    Timer timer;
    REQUIRE(timer.timer.arm(now() + due));
    timer.wait();
    CHECK(timer.fired == std::vector<bool>{false});
  }
}

SCENARIO("a timer tells that the clock was set, whether something is due or nothing") {
  for (const auto due : {std::optional(now() + std::chrono::hours(1000)), std::optional<microseconds>()}) {
    Timer timer;
    REQUIRE(timer.timer.arm(due));
    set_clock_to_itself();
    timer.wait();
    CHECK(timer.fired == std::vector<bool>{true});
  }
}

SCENARIO("a timer that is armed after the clock was set waits for its time all the same") {
  Timer timer;
  REQUIRE(timer.timer.arm(now() + std::chrono::hours(1000)));
  set_clock_to_itself();
  REQUIRE(timer.timer.arm(now() + microseconds(50'000)));
  timer.wait();
  CHECK_FALSE(timer.fired.empty());
}
