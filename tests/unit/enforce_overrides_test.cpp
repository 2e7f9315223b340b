// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/describe.hpp"
#include "daemon/enforce/events.hpp"
#include "daemon/enforce/override_events.hpp"
#include "tests/catch.hpp"

#include <date/tz.h>
#include <nlohmann/json.hpp>

#include <set>

using namespace schultor;
using namespace schultor::enforce;
using nlohmann::json;
using policy::Overrides;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

policy::Policy a_school() {
  policy::Policy policy;
  policy.timezone = "Europe/Berlin";
  policy.zone = date::locate_zone("Europe/Berlin");
  for (const auto* name : {"3b", "4a"}) {
    policy::Group group;
    group.name = name;
    policy.groups.push_back(group);
  }
  return policy;
}

const policy::Policy school = a_school();
const auto nine = *policy::parse_local(school, "2026-11-23 09:00");

policy::Override exam(std::uint64_t id, std::optional<std::string> group = "3b", minutes length = minutes{45}) {
  return {id, std::move(group), "exam", nine, nine + length, "Mathearbeit", "frau-sommer"};
}

std::vector<std::string> ids(const std::vector<OverrideEvent>& events) {
  std::vector<std::string> list;
  for (const auto& event : events) list.push_back(event.id);
  return list;
}
using Ids = std::vector<std::string>;

}  // namespace

SCENARIO("each change of the list is an event, by an id that derives from it alone") {
  const auto one = exam(5);
  CHECK(ids(override_events({}, {one}, nine, "x")) == Ids{"override/5/set"});
  CHECK(ids(override_events({}, {one}, nine + seconds{30}, "x")) == Ids{"override/5/set"});
  auto longer = one;
  longer.until += minutes{15};
  CHECK(ids(override_events({one}, {longer}, nine, "x")) == Ids{"override/5/extended/2026-11-23T09:00:00Z"});
  CHECK(ids(override_events({longer}, {one}, nine, "x")) == Ids{"override/5/shortened/2026-11-23T08:45:00Z"});
  CHECK(ids(override_events({one}, {}, nine + minutes{10}, "x")) == Ids{"override/5/cleared"});
  CHECK(ids(override_events({one}, {one}, nine, "x")).empty());
}

SCENARIO("one that ended while nobody was there is told with the instant at which it ended, and is nobody's doing but its own") {
  const auto events = override_events({exam(5)}, {}, nine + minutes{300}, "configuration");
  REQUIRE(events.size() == 1);
  CHECK(events[0].id == "override/5/ended");
  CHECK(events[0].at == nine + minutes{45});
  CHECK(events[0].by == "frau-sommer");
}

SCENARIO("what is for all and is lifted for one group is told as cleared for that group") {
  const Overrides before{exam(5, std::nullopt)};
  auto after = before;
  after.push_back({6, "3b", "", nine, nine + minutes{45}, "", ""});
  const auto events = override_events(before, after, nine, "herr-kurz");
  REQUIRE(ids(events) == Ids{"override/5/cleared/6"});
  CHECK(events[0].about.group == "3b");
  CHECK(events[0].by == "herr-kurz");
  CHECK(override_events(after, after, nine, "x").empty());
}

SCENARIO("five minutes before its end an override is told of, if its end changes anything") {
  const auto one = exam(5);
  CHECK(ending_events(school, {one}, nine + minutes{40} - seconds{1}).empty());
  REQUIRE(ending_events(school, {one}, nine + minutes{40}).size() == 1);
  CHECK(ending_events(school, {one}, nine + minutes{45}).empty());
  auto longer = one;
  longer.until += minutes{15};
  CHECK(ending_events(school, {longer}, nine + minutes{40}).empty());
  // Told anew of its new end.
  CHECK(ids(ending_events(school, {longer}, nine + minutes{55})) != ids(ending_events(school, {one}, nine + minutes{40})));
  // A short one is not told of as soon as it is set.
  CHECK(ending_events(school, {exam(5, "3b", minutes{5})}, nine).empty());
  // A newer one stands before it.
  CHECK(ids(ending_events(school, {one, exam(6, "3b", minutes{90})}, nine + minutes{40})).empty());
}

SCENARIO("the clock is armed for warnings and ends") {
  const Overrides list{exam(5), exam(6, "4a", minutes{43})};
  CHECK(next_of(list, nine) == nine + minutes{38});
  CHECK(next_of(list, nine + minutes{38}) == nine + minutes{40});
  CHECK(next_of(list, nine + minutes{40}) == nine + minutes{43});
  CHECK(next_of(list, nine + minutes{44}) == nine + minutes{45});
  CHECK_FALSE(next_of(list, nine + minutes{45}));
}

SCENARIO("an event of an override is JSON with everything that the school may know") {
  const auto event = json::parse(to_json(school, override_events({}, {exam(5)}, nine, "frau-sommer")[0]));
  CHECK(event == json{{"id", "override/5/set"},
                      {"kind", "override"},
                      {"at", "2026-11-23T09:00:00+01:00"},
                      {"result", "set"},
                      {"group", "3b"},
                      {"profile", "exam"},
                      {"until", "2026-11-23T09:45:00+01:00"},
                      {"by", "frau-sommer"},
                      {"reason", "Mathearbeit"}});
}

SCENARIO("what was told is kept for a day, and no more than is read back") {
  std::vector<policy::Told> told;
  for (std::uint64_t id = 1; id <= policy::most_told + 10; ++id) {
    auto one = exam(id);
    one.reason = std::string(policy::longest_reason, '"');
    told = told_with(school, told, override_events({}, {one}, nine, "x"), nine);
  }
  REQUIRE(told.size() == policy::most_told);
  CHECK(told.back().event.find("override/210/set") != std::string::npos);
  const policy::KeptOverrides kept{policy::most_told + 10, {}, told};
  CHECK(policy::overrides_from_json(policy::to_json(kept)) == kept);
  CHECK(told_with(school, told, {}, nine + std::chrono::hours{24}).size() == policy::most_told);
  CHECK(told_with(school, told, {}, nine + std::chrono::hours{24} + seconds{1}).empty());
}

SCENARIO("a mode that comes back is told by an instant of its own") {
  std::map<std::string, base::Instant> told;
  const auto change_at = [&](base::Instant at, base::Instant now) {
    std::vector<ModeChange> changes{{"3b", "", {}, at}};
    tell_apart(changes, now, told);
    return changes[0].at;
  };
  CHECK(change_at(nine, nine) == nine);
  CHECK(change_at(nine + minutes{5}, nine + minutes{5}) == nine + minutes{5});
  const auto cleared = nine + minutes{7} + std::chrono::microseconds{3};
  CHECK(change_at(nine, cleared) == cleared);
  CHECK(change_at(nine, cleared) == cleared + std::chrono::microseconds{1});
}

SCENARIO("a refused configuration is described with what is wrong, and an event that any reporter takes") {
  std::vector<std::string> errors;
  for (int i = 1; i <= 2000; ++i) errors.push_back("school.toml:" + std::to_string(i) + ":1: error: " + std::string(600, 'x'));
  const auto event = configuration_event(school, nine, errors);
  CHECK(event.size() < 1U << 20U);
  const auto told = json::parse(event);
  CHECK(told["errors"].size() == most_told_errors);
  CHECK(told["errors"].back() == "and 1951 more");
  Health health{};
  health.now = health.applied = nine;
  CHECK(json::parse(describe(school, GatewayStatus{}, health))["refused"] == nullptr);
  health.refused = Refusal{nine, {"school.toml:3:1: error: no"}};
  CHECK(json::parse(describe(school, GatewayStatus{}, health))["refused"] ==
        json{{"at", "2026-11-23T09:00:00+01:00"}, {"errors", {"school.toml:3:1: error: no"}}});
  health.refused->errors = errors;
  CHECK(json::parse(describe(school, GatewayStatus{}, health))["refused"]["errors"] == told["errors"]);
  CHECK(status_line(school, GatewayStatus{}, true).find("refused") != std::string::npos);
  CHECK(json::parse(configuration_event(school, nine, {})).count("errors") == 0);
}

SCENARIO("events that are large do not fill memory") {
  EventLog log;
  for (int i = 0; i < 40; ++i) log.add(nine, std::string(std::size_t{1} << 20U, 'x'));
  CHECK(log.all().size() == 16);
  log.add(nine, std::string(EventLog::most_octets + 1, 'y'));
  REQUIRE(log.all().size() == 1);
  log.add(nine, "z");
  CHECK(log.all().back() == "z");
}
