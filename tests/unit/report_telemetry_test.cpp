// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/report/telemetry.hpp"
#include "tests/catch.hpp"

#include <nlohmann/json.hpp>

#include <string>

using namespace schultor::report;
using nlohmann::json;

namespace {

GatewayFacts look(const std::string& time, std::uint64_t refused, std::uint64_t admitted, std::optional<std::uint64_t> online) {
  GatewayFacts facts;
  facts.time = time;
  facts.traffic = GatewayFacts::Traffic{refused, admitted};
  facts.online = online;
  return facts;
}

json told(Telemetry& telemetry) {
  const auto payload = telemetry.take();
  return payload ? json::parse(*payload) : json(nullptr);
}

json message(const char* from, const char* until, bool complete, const json& refused, const json& allowed, const json& online) {
  return {{"from", from}, {"until", until}, {"complete", complete}, {"refused", refused}, {"allowed", allowed}, {"online", online}};
}

}  // namespace

SCENARIO("counts are those since the last message that the broker has") {
  Telemetry telemetry;
  CHECK(told(telemetry) == nullptr);
  telemetry.sampled(look("1", 100, 1000, 5));
  CHECK(told(telemetry) == nullptr);
  telemetry.sampled(look("2", 110, 1003, 6));
  CHECK(told(telemetry) == message("1", "2", true, 10, 3, 6));
  telemetry.sampled(look("3", 111, 1004, 7));
  CHECK(told(telemetry) == nullptr);  // the first one is on its way
  telemetry.delivered();
  CHECK(told(telemetry) == message("2", "3", true, 1, 1, 7));
  telemetry.delivered();
  CHECK(told(telemetry) == nullptr);
}

SCENARIO("what a broken line may have lost is told again from the same instant on, with what came since") {
  Telemetry telemetry;
  telemetry.sampled(look("1", 0, 0, 9));
  telemetry.sampled(look("2", 4, 2, 9));
  CHECK(told(telemetry) == message("1", "2", true, 4, 2, 9));
  telemetry.sampled(look("3", 5, 2, 9));
  telemetry.lost();
  telemetry.sampled(look("4", 7, 3, 9));
  CHECK(told(telemetry) == message("1", "4", true, 7, 3, 9));
  telemetry.lost();
  CHECK(told(telemetry) == message("1", "4", true, 7, 3, 9));
  telemetry.delivered();
  telemetry.lost();
  CHECK(told(telemetry) == nullptr);
}

SCENARIO("what passed while fewer than five devices were there is never told, not in a later sum either") {
  Telemetry telemetry;
  telemetry.sampled(look("1", 0, 0, 4));
  telemetry.sampled(look("2", 50, 50, 4));
  CHECK(told(telemetry) == message("1", "2", false, nullptr, nullptr, nullptr));
  telemetry.lost();
  telemetry.sampled(look("3", 70, 70, 5));  // at its beginning there were four
  telemetry.sampled(look("4", 71, 72, 5));
  CHECK(told(telemetry) == message("1", "4", false, 1, 2, 5));
  telemetry.delivered();
  telemetry.sampled(look("5", 80, 80, std::nullopt));
  CHECK(told(telemetry) == message("4", "5", false, nullptr, nullptr, nullptr));
}

SCENARIO("sums that begin anew are counted from nothing, and what an older schultord does not tell is no sum") {
  Telemetry telemetry;
  telemetry.sampled(look("1", 1000, 1000, 9));
  telemetry.sampled(look("2", 3, 1001, 9));
  CHECK(told(telemetry) == message("1", "2", true, 3, 1, 9));
  Telemetry older;
  GatewayFacts facts;
  facts.time = "1";
  older.sampled(facts);
  older.sampled(facts);
  CHECK(told(older) == nullptr);
}
