// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/hold_down.hpp"
#include "tests/catch.hpp"

#include <fmt/format.h>

#include <vector>

using namespace schultor;
using enforce::HoldDown;

namespace {

/// What is told until the loop is ended by a summary.
struct Told {
  base::EventLoop loop = base::EventLoop::create().value();
  std::vector<std::string> texts{};
  HoldDown hold_down{loop, [this](const std::string& text) { texts.push_back(text); },
                     [this](std::size_t more, const std::string& last) {
                       loop.quit();
                       return fmt::format("{} more, at last {}", more, last);
                     },
                     std::chrono::milliseconds(1)};
};
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("the first is told at once, those that follow together, and then the next at once") {
  Told told;
  for (int i = 1; i <= 3; ++i) told.hold_down.happened(fmt::format("no {}", i), std::to_string(i));
  CHECK(told.texts == Texts{"no 1"});
  CHECK(told.hold_down.held() == 2U);
  REQUIRE(told.loop.run());
  CHECK(told.texts == Texts{"no 1", "2 more, at last 3"});
  CHECK_FALSE(told.hold_down.held());
  told.hold_down.happened("no 4", "4");
  CHECK(told.texts.back() == "no 4");
}

TEST_CASE("what is urgent is told by itself whenever it happens") {
  Told told;
  told.hold_down.happened("one", "1");
  told.hold_down.happened("two", "2", true);
  told.hold_down.happened("three", "3");
  CHECK(told.texts == Texts{"one", "two"});
  REQUIRE(told.loop.run());
  CHECK(told.texts == Texts{"one", "two", "1 more, at last 3"});
}

TEST_CASE("one by itself is told once") {
  Told told;
  told.hold_down.happened("one", "1");
  auto end = told.loop.after(std::chrono::milliseconds(20), [&] { told.loop.quit(); });
  REQUIRE(told.loop.run());
  CHECK(told.texts == Texts{"one"});
}
