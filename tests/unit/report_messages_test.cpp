// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/report/messages.hpp"

#include "tests/catch.hpp"

#include <nlohmann/json.hpp>

using namespace schultor::report;
using nlohmann::json;

namespace {

json description() {
  return {
      {"school", "ggs-am-park"},
      {"version", "0.1.0"},
      {"time", "2026-11-23T08:00:01+01:00"},
      {"policy_revision", 7},
      {"groups",
       {{{"name", "3b"},
         {"profile", "school"},
         {"because", "window"},
         {"text", "window Mon..Fri 08:00-17:00"},
         {"since", "2026-11-23T08:00:00+01:00"},
         {"until", "2026-11-23T17:00:00+01:00"},
         {"ownership", "school"},
         {"devices", 4},
         {"online", 3}},
        {{"name", "lehrkraefte"},
         {"profile", "leisure"},
         {"because", "fixed"},
         {"text", "fixed"},
         {"since", "2026-11-23T07:59:50+01:00"},
         {"until", nullptr},
         {"ownership", "staff"},
         {"devices", 2}}}},
      {"gate", {{"connected", true}, {"resolver_answers", nullptr}}},
      {"kernel",
       {{"settings",
         {{{"name", "net.ipv4.ip_forward"}, {"value", 0}, {"expected", "1"}, {"remedy", "sysctl -w net.ipv4.ip_forward=1"}}}},
        {"connections", {{"tracked", 4211}, {"most", 262144}, {"percent", 1}}},
        {"ruleset",
         {{"in_force", false}, {"since", "2026-11-23T08:00:00+01:00"}, {"text", "nft (pid 7) changed it"}, {"remedy", "end it"}}}}},
      {"cache",
       {{"connected", true},
        {"origins",
         {{{"name", "filme"}, {"well", true}, {"text", ""}}, {{"name", "inhalte"}, {"well", false}, {"text", "nginx"}}}}}},
      {"applied", "2026-11-23T08:00:00+01:00"}};
}

json event() {
  return {{"id", "mode/3b/2026-11-23T07:00:00Z"},
          {"kind", "mode"},
          {"at", "2026-11-23T08:00:00+01:00"},
          {"group", "3b"},
          {"profile", "school"}};
}

}  // namespace

SCENARIO("the city learns modes and health, and nothing about devices or people") {
  const auto facts = parse_description(description().dump());
  REQUIRE(facts);
  const auto state = json::parse(compose_state("ggs-am-park", *facts, true, OutboxHealth::ok));

  CHECK(state == json{{"online", true},
                      {"school", "ggs-am-park"},
                      {"time", "2026-11-23T08:00:01+01:00"},
                      {"policy_revision", 7},
                      {"groups",
                       {{{"name", "3b"},
                         {"profile", "school"},
                         {"because", "window"},
                         {"since", "2026-11-23T08:00:00+01:00"},
                         {"until", "2026-11-23T17:00:00+01:00"}},
                        {{"name", "lehrkraefte"},
                         {"profile", "leisure"},
                         {"because", "fixed"},
                         {"since", "2026-11-23T07:59:50+01:00"},
                         {"until", nullptr}}}},
                      {"health",
                       {{"schultord", true},
                        {"outbox", "ok"},
                        {"gate", true},
                        {"resolver", nullptr},
                        {"settings", {"net.ipv4.ip_forward"}},
                        {"connections", 1},
                        {"ruleset", false},
                        {"cache", {"inhalte"}},
                        {"applied", "2026-11-23T08:00:00+01:00"}}},
                      {"versions", {{"schultor", "0.1.0"}}}});
}

SCENARIO("a school whose schultord was never reached is online, and says so") {
  const auto state = json::parse(compose_state("ggs-am-park", std::nullopt, false, OutboxHealth::full));
  CHECK(state["online"] == true);
  CHECK(state["groups"] == json::array());
  CHECK(state["health"] == json{{"schultord", false}, {"outbox", "full"}});
}

SCENARIO("a description that is none is refused with what was expected") {
  const std::string valid = description().dump();
  CHECK(parse_description(valid));
  for (std::size_t length = 0; length < valid.size(); ++length) CHECK_FALSE(parse_description(valid.substr(0, length)));
  for (const char* text : {"", "null", "[]", "7", "{}", "{\"groups\":", "\xff\xfe", "{\"version\":1}"})
    CHECK_FALSE(parse_description(text));

  for (const auto& member : {"version", "time", "applied", "policy_revision", "groups", "gate"}) {
    auto broken = description();
    broken[member] = json::array({1});
    const auto refused = parse_description(broken.dump());
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().what(), Catch::Contains("expected") || Catch::Contains("a group is no object"));
    broken.erase(member);
    CHECK_FALSE(parse_description(broken.dump()));
  }
  auto negative = description();
  negative["policy_revision"] = -1;
  CHECK_FALSE(parse_description(negative.dump()));
  auto long_name = description();
  long_name["groups"][0]["name"] = std::string(longest_text + 1, 'a');
  CHECK_FALSE(parse_description(long_name.dump()));
  auto crowd = description();
  crowd["groups"] = std::vector<json>(most_groups + 1, description()["groups"][0]);
  CHECK_FALSE(parse_description(crowd.dump()));
  CHECK_FALSE(parse_description(std::string(largest_description + 1, ' ')));
}

SCENARIO("what is told of the cache is optional, and strict where it is there") {
  auto without = description();
  without["cache"] = nullptr;
  const auto facts = parse_description(without.dump());
  REQUIRE(facts);
  CHECK(json::parse(compose_state("a", *facts, true, OutboxHealth::ok))["health"]["cache"] == nullptr);
  for (const auto& cache : {json(7), json::object(), json{{"origins", 7}}, json{{"origins", {7}}},
                            json{{"origins", {{{"name", "a"}}}}}, json{{"origins", {{{"name", 7}, {"well", true}}}}},
                            json{{"origins", std::vector<json>(65, {{"name", "a"}, {"well", true}})}}}) {
    auto broken = description();
    broken["cache"] = cache;
    INFO(cache.dump().substr(0, 100));
    CHECK_FALSE(parse_description(broken.dump()));
  }
}

SCENARIO("what is told of the kernel is optional, and strict where it is there") {
  auto older = description();
  older.erase("kernel");
  const auto facts = parse_description(older.dump());
  REQUIRE(facts);
  CHECK_FALSE(facts->settings_wrong);
  CHECK_FALSE(facts->traffic);
  CHECK_FALSE(facts->online);
  CHECK_FALSE(facts->ruleset_in_force);
  auto early = description();
  early["kernel"] = {{"settings", nullptr}, {"connections", nullptr}};
  CHECK(parse_description(early.dump()));
  for (const auto& kernel :
       {json(7), json{{"settings", 7}}, json{{"settings", {7}}}, json{{"settings", {{{"name", 7}}}}}, json{{"connections", 7}},
        json{{"counters", 7}}, json{{"counters", {{"refused_school", "viel"}}}}, json{{"ruleset", true}},
        json{{"ruleset", {{"in_force", 1}}}}, json{{"connections", {{"percent", "viel"}}}},
        json{{"settings", std::vector<json>(most_settings + 1, {{"name", "a"}})}}}) {
    auto broken = description();
    broken["kernel"] = kernel;
    INFO(kernel.dump().substr(0, 100));
    CHECK_FALSE(parse_description(broken.dump()));
  }
}

SCENARIO("what the ruleset counts and who is online are summed up over all profiles and groups") {
  auto counted = description();
  counted["groups"][1]["online"] = 4;
  counted["kernel"]["counters"] = {
      {"refused_school", 3}, {"refused.flood", 2}, {"admitted.cloud", 7}, {"admitted_school", 1}, {"other", 9}};
  const auto facts = parse_description(counted.dump());
  REQUIRE(facts);
  REQUIRE(facts->traffic);
  CHECK(facts->traffic->refused == 5);
  CHECK(facts->traffic->admitted == 8);
  CHECK(facts->online == 7);
  for (const json& wrong : {json(-1), json("4"), json(1.5)}) {
    counted["groups"][1]["online"] = wrong;
    CHECK_FALSE(parse_description(counted.dump()));
  }
  counted["groups"][1]["online"] = nullptr;
  CHECK_FALSE(parse_description(counted.dump())->online);
}

SCENARIO("deep nesting exhausts no stack") {
  const std::string deep(60'000, '[');
  CHECK_FALSE(compose_event(deep));
  CHECK_FALSE(compose_event("{\"id\":" + deep + std::string(60'000, ']') + "}"));
  // Brackets in a string are text.
  auto bracketed = event();
  bracketed["text"] = std::string(100, '[') + "\"\\";
  CHECK(compose_event(bracketed.dump()));
}

SCENARIO("an event reaches the city as schultord raised it") {
  const auto message = compose_event(event().dump());
  REQUIRE(message);
  CHECK(message->id == "mode/3b/2026-11-23T07:00:00Z");
  CHECK(message->kind == "mode");
  CHECK(json::parse(message->payload) == event());
  CHECK(event_topic("ggs-am-park", message->kind) == "schultor/1/ggs-am-park/event/mode");
}

SCENARIO("what an event must not say stays in the school") {
  auto talkative = event();
  talkative["device"] = "tablet of a child";
  talkative["errors"] = {"roster.csv:14:1: error: “Mia Muster” is no MAC address", "Mia is named twice, first at roster.csv:3",
                         "school.toml:3:1: error: 02:77:00:00:00:01 and 0277.0000.0002", "city.toml:9:3: error: unknown key"};
  const auto message = compose_event(talkative.dump());
  REQUIRE(message);
  const auto sent = json::parse(message->payload);
  CHECK_FALSE(sent.contains("device"));
  CHECK(sent["errors"] == json{"roster.csv:14:1: (what it says stays in the school)",
                               "roster.csv:3 (what it says stays in the school)",
                               "school.toml:3:1: error: (a device) and (a device)", "city.toml:9:3: error: unknown key"});
}

SCENARIO("a configuration with very many errors is told of all the same") {
  auto refused = event();
  refused["errors"] = std::vector<std::string>(1000, "school.toml:1:1: error: " + std::string(600, 'x'));
  const auto message = compose_event(refused.dump());
  REQUIRE(message);
  const auto errors = json::parse(message->payload)["errors"];
  REQUIRE(errors.size() == most_errors + 1);
  CHECK(errors.back() == "and 950 more");
  CHECK(message->payload.size() < 40'000);
}

SCENARIO("a kind is one level of a topic and no more") {
  for (const char* kind : {"", "mode/other", "#", "+", "Mode", "mode\n", "a b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    auto odd = event();
    odd["kind"] = kind;
    CHECK_FALSE(compose_event(odd.dump()));
  }
  for (const char* member : {"id", "kind", "at"}) {
    auto lacking = event();
    lacking.erase(member);
    CHECK_FALSE(compose_event(lacking.dump()));
    lacking[member] = 5;
    CHECK_FALSE(compose_event(lacking.dump()));
  }
  CHECK_FALSE(compose_event(std::string(largest_event + 1, ' ')));
}
