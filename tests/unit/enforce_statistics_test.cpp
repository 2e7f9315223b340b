// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/gate_statistics.hpp"
#include "tests/catch.hpp"

#include <date/tz.h>
#include <nlohmann/json.hpp>

namespace {

using namespace schultor;
using namespace schultor::enforce;
using nlohmann::json;
using std::chrono::seconds;
using Monotonic = std::chrono::steady_clock::time_point;

const policy::Policy& policy_in_berlin() {
  static const auto made = [] {
    policy::Policy policy;
    policy.timezone = "Europe/Berlin";
    policy.zone = date::locate_zone(policy.timezone);
    return policy;
  }();
  return made;
}

const Numbers numbers{{}, {}, {{"school/plain", 1}, {"school/steer", 2}, {"weg/plain", 3}, {"viele/plain", dns::counted_views}}};
const Now now{base::Instant(std::chrono::seconds(1'795'680'000)), Monotonic(seconds(5000))};

json described(bool connected, const std::optional<ToldStatistics>& told) {
  return json::parse(to_json(policy_in_berlin(), numbers, connected, told, now));
}

}  // namespace

TEST_CASE("what the gate has counted is told by profile, with its age, and what was never told is null") {
  const auto nothing = described(false, std::nullopt);
  CHECK(nothing["connected"] == false);
  for (const auto* member : {"since", "seconds", "age", "views", "waiting", "answered", "resolver", "pins"})
    CHECK(nothing.at(member).is_null());

  ToldStatistics told{Monotonic(seconds(4990)), {}, {}};
  told.gate.since = Monotonic(seconds(1400));
  told.gate.waiting = 3;
  told.gate.answered[static_cast<std::size_t>(dns::Waited::pins)].add(std::chrono::milliseconds(2), 7);
  told.gate.resolver.questions = 9;
  told.gate.pins.pinned = 5;
  told.views[0].by_verdict[static_cast<std::size_t>(dns::Verdict::ignored)] = 1;
  told.views[2].by_verdict[static_cast<std::size_t>(dns::Verdict::refused)] = 4;
  told.views[2].cached = 2;
  told.views[3];
  told.views[77];
  told.views[dns::counted_views - 1];
  const auto document = described(true, told);
  CHECK(document["since"] == "2026-11-26T08:00:00+01:00");
  CHECK(document["seconds"] == 3590);
  CHECK(document["age"] == 10);
  CHECK(document["waiting"] == 3);
  CHECK(document["answered"]["nothing"]["p50_us"].is_null());
  CHECK(document["answered"]["pins"] == json{{"count", 7}, {"p50_us", 2048}, {"p99_us", 2048}, {"buckets_us", {{2048, 7}}}});
  CHECK(document["resolver"]["questions"] == 9);
  CHECK(document["resolver"]["round_trip"]["count"] == 0);
  CHECK(document["pins"]["pinned"] == 5);
  const auto& views = document["views"];
  REQUIRE(views.size() == 5);
  CHECK(views[0]["profile"].is_null());
  CHECK(views[0]["verdicts"]["ignored"] == 1);
  CHECK(views[1]["profile"] == "school");
  CHECK(views[1]["steer"] == true);
  CHECK(views[1]["questions"] == 4);
  CHECK(views[1]["cached"] == 2);
  CHECK(views[2]["profile"] == "weg");
  CHECK(views[2]["steer"] == false);
  CHECK(views[3]["profile"].is_null());  // never given a number
  CHECK(views[4]["profile"].is_null());  // shared
}

TEST_CASE("a gate that says that it starts in the future does so now") {
  ToldStatistics told{Monotonic(seconds(4990)), {}, {}};
  told.gate.since = Monotonic::max();
  CHECK(described(true, told)["seconds"] == 0);
}
