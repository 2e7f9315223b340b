// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/describe.hpp"
#include "daemon/enforce/gate_switches.hpp"
#include "daemon/enforce/mode_switch.hpp"
#include "daemon/policy/compile.hpp"
#include "netfilter/planner/build.hpp"
#include "tests/catch.hpp"
#include "tests/unit/sample_box.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace {

using namespace schultor;
using namespace schultor::enforce;

constexpr const char* city_toml = R"(
revision = 7
[cloud]
domains = ["mnspro.test"]
[[profile]]
name = "school"
access = "listed"
allow = ["lernen.test"]
[[profile]]
name = "leisure"
access = "open"
[[schedule]]
name = "weekdays"
windows = ["Mon..Fri 08:00-17:00"]
during = "school"
otherwise = "leisure"
)";
constexpr const char* school_toml = R"(
[[group]]
name = "3b"
schedule = "weekdays"
[[group]]
name = "byod"
schedule = "weekdays"
ownership = "byod"
[[group]]
name = "gaeste"
schedule = "weekdays"
unknown = true
[[group]]
name = "lehrkraefte"
profile = "leisure"
ownership = "staff"
prefixes = ["10.78.0.0/24"]
)";

constexpr const char* default_roster = "mac,group\n02:77:00:00:00:01,3b\n02:77:00:00:00:05,byod\n";

policy::Policy make_policy(const std::string& roster = default_roster, const std::string& city = city_toml,
                           const std::string& endpoints = {}, const std::string& school = school_toml) {
  config::Files files{sample::box(), city, school, roster};
  files.named["endpoints/a.json"] = endpoints;
  auto loaded = policy::load(files, config::Need::everything());
  for (const auto& diagnostic : loaded.diagnostics) UNSCOPED_INFO(config::to_string(diagnostic));
  REQUIRE(loaded.policy);
  return *loaded.policy;
}

base::Instant instant(const policy::Policy& policy, std::string_view text) {
  const auto at = policy::parse_local(policy, text);
  REQUIRE(at);
  return *at;
}

const std::vector<std::string> lan{"lan0"};
constexpr netfilter::planner::Generation first = 40;

struct School {
  explicit School(policy::Policy compiled) : policy(std::move(compiled)), numbers(*with_numbers_for({}, policy)) {}

  policy::Policy policy;
  Numbers numbers;

  [[nodiscard]] auto number(const char* group) const { return numbers.groups.find(group)->second; }
  [[nodiscard]] Standing standing_at(std::string_view time, const Standing& found = {}) const {
    const auto moment = moment_at(policy, instant(policy, time));
    return standing_of(
        intent_of(policy, lan, moment, numbers, generations_over(found, policy, lan, moment, numbers, false, first)));
  }
};

}  // namespace

SCENARIO("a number once given to a name is never given to another") {
  Numbers numbers;
  numbers.groups = {{"1a", 1}, {"gone", 9}};
  const auto more = with_numbers_for(numbers, make_policy());
  REQUIRE(more);
  CHECK(more->groups.at("gone") == 9);
  CHECK(more->groups.at("3b") == 10);
  CHECK(more->labels.size() == 3);  // school, and exam and paused, which are built in
  CHECK(more->views.size() == 8);
  CHECK(numbers_from_json(to_json(*more)) == *more);
}

SCENARIO("a numbers file that gives a number twice, or one out of range, is refused") {
  CHECK_FALSE(numbers_from_json("{}"));
  CHECK_FALSE(numbers_from_json("[1"));
  CHECK_FALSE(numbers_from_json(R"({"groups":{"a":1,"b":1},"labels":{},"views":{}})"));
  CHECK_FALSE(numbers_from_json(R"({"groups":{"a":0},"labels":{},"views":{}})"));
  CHECK_FALSE(numbers_from_json(R"({"groups":{"a":65535},"labels":{},"views":{}})"));
  CHECK_FALSE(numbers_from_json(R"({"groups":{},"labels":{"a":128},"views":{}})"));
  CHECK_FALSE(numbers_from_json(R"({"groups":{"a":"1"},"labels":{},"views":{}})"));
  CHECK(numbers_from_json(R"({"groups":{"a":65534},"labels":{"s":127},"views":{"s/plain":1}})"));
}

SCENARIO("at 08:00 a mode switch concerns the scheduled groups alone, and what is in force already needs none") {
  const School school(make_policy());
  const auto before = school.standing_at("2026-11-23 07:59:59");
  const auto at_eight = moment_at(school.policy, instant(school.policy, "2026-11-23 08:00:00"));
  const auto planned = plan_mode_switch(school.policy, school.numbers, before, at_eight);
  REQUIRE(planned.groups.size() == 3);
  for (const auto& group : planned.groups) {
    CHECK(group.from->profile == "leisure");
    CHECK(group.to.profile == "school");
    CHECK(group.to.generation == first + 1);
    CHECK(group.to.view != group.from->view);
  }
  CHECK(planned.changes[0].at == instant(school.policy, "2026-11-23 08:00:00"));
  REQUIRE(at_eight.next);
  CHECK(*at_eight.next == instant(school.policy, "2026-11-23 17:00:00"));
  CHECK(plan_mode_switch(school.policy, school.numbers, school.standing_at("2026-11-23 08:00"), at_eight).empty());
}

SCENARIO("a byod tablet is answered by another view than a school-owned one of the same profile") {
  const School school(make_policy());
  const auto standing = school.standing_at("2026-11-23 09:00");
  CHECK(standing.groups.at(school.number("3b")).profile == standing.groups.at(school.number("byod")).profile);
  CHECK(standing.groups.at(school.number("3b")).view != standing.groups.at(school.number("byod")).view);
}

SCENARIO("connections outlive a restart, but not a move to another group") {
  const School school(make_policy());
  const auto before = school.standing_at("2026-11-23 09:00");
  const auto moment = moment_at(school.policy, instant(school.policy, "2026-11-23 09:30"));

  GIVEN("the same roster") {
    for (const auto& [number, generation] : generations_over(before, school.policy, lan, moment, school.numbers, false, 1))
      CHECK(generation == before.groups.at(number).generation);
  }
  GIVEN("a tablet that moved from 3b to byod") {
    const auto moved = make_policy("mac,group\n02:77:00:00:00:01,byod\n02:77:00:00:00:05,byod\n");
    const auto generations = generations_over(before, moved, lan, moment, school.numbers, false, 1);
    CHECK(generations.at(school.number("3b")) == first + 1);
    CHECK(generations.at(school.number("byod")) == first);
  }
  GIVEN("a tablet that the roster did not know") {
    const auto named = make_policy("mac,group\n02:77:00:00:00:01,3b\n02:77:00:00:00:05,byod\n02:77:00:00:00:09,3b\n");
    const auto generations = generations_over(before, named, lan, moment, school.numbers, false, 1);
    CHECK(generations.at(school.number("gaeste")) == first + 1);
    CHECK(generations.at(school.number("3b")) == first);
  }
  GIVEN("changed rules") {
    for (const auto& [number, generation] : generations_over(before, school.policy, lan, moment, school.numbers, true, 1))
      CHECK(generation == before.groups.at(number).generation + 1);
  }
  GIVEN("a switch that fell due meanwhile") {
    const auto evening = moment_at(school.policy, instant(school.policy, "2026-11-23 17:30"));
    const auto generations = generations_over(before, school.policy, lan, evening, school.numbers, false, 1);
    CHECK(generations.at(school.number("3b")) == first + 1);
    CHECK(generations.at(school.number("lehrkraefte")) == first);
    const auto changes = changes_over(before, school.policy, evening, school.numbers, Occasion::repair);
    REQUIRE(changes.size() == 3);
    CHECK(changes[0].previous == "school");
    CHECK(changes[0].at == instant(school.policy, "2026-11-23 17:00"));
  }
}

SCENARIO("the event of a mode change bears the same id when it is derived again after a crash") {
  const School school(make_policy());
  const auto before = school.standing_at("2026-11-23 07:00");
  const auto moment = moment_at(school.policy, instant(school.policy, "2026-11-23 08:00:00"));
  const auto planned = plan_mode_switch(school.policy, school.numbers, before, moment);
  const auto later = moment_at(school.policy, instant(school.policy, "2026-11-23 08:04:10"));
  const auto again = changes_over(school.standing_at("2026-11-23 08:01"), school.policy, later, school.numbers, Occasion::start);
  // The teachers' profile has always held: there is nothing to tell.
  REQUIRE(again.size() == 3);
  const auto id = [&](const ModeChange& change) {
    return nlohmann::json::parse(mode_event(school.policy, change)).at("id").get<std::string>();
  };
  CHECK(id(planned.changes[0]) == "mode/3b/2026-11-23T07:00:00Z");
  CHECK(id(again[0]) == id(planned.changes[0]));
}

SCENARIO("a profile that is gone keeps its name in what is told, and what the kernel calls it is told to nobody") {
  const School school(make_policy());
  const auto evening = moment_at(school.policy, instant(school.policy, "2026-11-23 18:00"));
  const auto intent = intent_of(school.policy, lan, evening, school.numbers,
                                generations_over({}, school.policy, lan, evening, school.numbers, false, first));
  netfilter::model::Found found;
  for (auto& set : netfilter::planner::build(intent).sets) found.sets.push_back({set.declaration, false, set.elements});

  std::string renamed = city_toml;
  for (std::size_t at = 0; (at = renamed.find("leisure")) != std::string::npos;) renamed.replace(at, 7, "freizeit");
  std::string teachers = school_toml;
  teachers.replace(teachers.find("leisure"), 7, "freizeit");
  const auto policy = make_policy(default_roster, renamed, {}, teachers);
  const auto now = moment_at(policy, instant(policy, "2026-11-23 18:30"));
  const auto previous_by = [&](const Numbers& numbers) {
    std::set<std::string> previous;
    for (const auto& change : changes_over(standing_of(found, numbers), policy, now, numbers, Occasion::reload))
      previous.insert(change.previous);
    return previous;
  };
  CHECK(previous_by(*with_numbers_for(school.numbers, policy)) == std::set<std::string>{"leisure"});
  GIVEN("a name that is gone and is spelt alike in the kernel") {
    std::string alike = city_toml, staff = school_toml;
    for (auto* text : {&alike, &staff})
      for (std::size_t at = 0; (at = text->find("\"leisure\"")) != std::string::npos;) text->replace(at, 9, "\"frei_zeit\"");
    const auto policy_alike = make_policy(default_roster, alike, {}, staff);
    auto numbers = *with_numbers_for({}, policy_alike);
    const auto held = moment_at(policy_alike, instant(policy_alike, "2026-11-23 18:00"));
    netfilter::model::Found of_alike;
    for (auto& set : netfilter::planner::build(intent_of(policy_alike, lan, held, numbers,
                                                         generations_over({}, policy_alike, lan, held, numbers, false, first)))
                         .sets)
      of_alike.sets.push_back({set.declaration, false, set.elements});
    numbers.views["frei-zeit/plain"] = 100;
    for (const auto& [number, group] : standing_of(of_alike, numbers).groups) CHECK(group.profile == "frei_zeit");
  }
  GIVEN("numbers that never knew it") {
    auto numbers = *with_numbers_for({school.numbers.groups, {}, {}}, policy);
    CHECK(previous_by(numbers) == std::set<std::string>{""});
  }
}

SCENARIO("a profile that never changes holds since no instant, at the first start as after a restart") {
  const School school(make_policy());
  const std::vector<std::size_t> devices(school.policy.groups.size());
  const auto moment = moment_at(school.policy, instant(school.policy, "2026-11-23 09:00"));
  const auto since_of = [&](const GatewayStatus& status, const char* group) {
    for (const auto& one : status.groups)
      if (one.name == group) return one.since;
    FAIL("no such group");
    return std::optional<policy::Seconds>{};
  };
  const auto at_a_start = [&](const Standing& found) {
    return status_after({}, school.policy, devices, moment,
                        changes_over(found, school.policy, moment, school.numbers, Occasion::start));
  };
  const auto first_start = at_a_start({}), restart = at_a_start(school.standing_at("2026-11-23 08:59"));
  const policy::Seconds eight = *policy::parse_local(school.policy, "2026-11-23 08:00");
  for (const auto* status : {&first_start, &restart}) {
    CHECK_FALSE(since_of(*status, "lehrkraefte"));
    CHECK(since_of(*status, "3b") == std::optional(eight));
  }
  GIVEN("a change that was seen, of which the policy knows nothing") {
    const auto cleared = eight + std::chrono::minutes{59};
    const auto& holding = moment.spans.back().holding;
    const auto after =
        status_after(first_start, school.policy, devices, moment, {{"lehrkraefte", "exam", holding, base::Instant(cleared)}});
    CHECK(since_of(after, "lehrkraefte") == std::optional(cleared));
    CHECK(since_of(status_after(after, school.policy, devices, moment, {}), "lehrkraefte") == std::optional(cleared));
  }
}

SCENARIO("the gate may open only doors that the rules have, for addresses that somebody on the internet has") {
  const School school(make_policy());
  const auto rules = gate_rules_of(school.policy, school.numbers);
  const auto address = [](const char* text) { return *base::parse_address(text); };
  const std::chrono::seconds hour{3600};
  CHECK(rules.views.size() == 8);
  const auto pins = pins_of(rules, address("198.51.100.20"), policy::cloud_door | policy::first_listed_door, hour);
  REQUIRE(pins);
  REQUIRE(pins->size() == 2);
  CHECK((*pins)[0].profile.empty());
  CHECK((*pins)[0].ports == policy::usual_cloud_ports());
  CHECK((*pins)[1].profile == "school");
  CHECK((*pins)[1].ports.empty());
  CHECK_FALSE(pins_of(rules, address("198.51.100.20"), policy::port_class_door(0), hour));
  CHECK_FALSE(pins_of(rules, address("198.51.100.20"), policy::first_listed_door << 3U, hour));
  CHECK_FALSE(pins_of(rules, address("198.51.100.20"), 0, hour));
  for (const auto* nowhere : {"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "ff02::1", "fe80::1",
                              "10.77.0.1", "192.168.1.1", "fd00::1"})
    CHECK_FALSE(pins_of(rules, address(nowhere), 0b1, hour));
  // Where the school has zones of its own, they may lead inside; never to the gateway.
  auto with_zones = rules;
  with_zones.local = policy::NamePatterns({*policy::parse_pattern("schule.internal", {})});
  CHECK(pins_of(with_zones, address("192.168.1.1"), 0b1, hour));
  CHECK_FALSE(pins_of(with_zones, address("10.77.0.1"), 0b1, hour));
  CHECK_FALSE(pins_of(with_zones, address("127.0.0.1"), 0b1, hour));
}

SCENARIO("the gate hears when each view's groups next change, on its own clock") {
  const School school(make_policy());
  const auto at = instant(school.policy, "2026-11-23 07:59:30");
  const std::chrono::steady_clock::time_point monotonic{std::chrono::hours(100)};
  const auto moment = moment_at(school.policy, at);
  const auto switches = switches_of(school.policy, school.numbers, moment, at, monotonic);
  const auto view = [&](std::string_view profile, bool steer) {
    return school.numbers.views.find(view_key(profile, steer))->second;
  };
  // 3b and gaeste in leisure, steered or not; lehrkraefte have leisure for ever, and share byod's view.
  REQUIRE_FALSE(switches.views.empty());
  for (const auto& one : switches.views) CHECK(one.at == monotonic + std::chrono::seconds(30));
  CHECK(std::any_of(switches.views.begin(), switches.views.end(),
                    [&](const auto& one) { return one.view == view("leisure", true); }));
  CHECK(std::none_of(switches.views.begin(), switches.views.end(),
                     [&](const auto& one) { return one.view == view("school", true); }));
  CHECK(switches.others == dns::Switches::Instant::max());
}

SCENARIO("what an endpoint list opens reaches the kernel: names by pins with their ports, addresses by ranges") {
  const char* list = R"([{"id":1,"required":true,"urls":["mail.office.test"],"tcpPorts":"143, 587, 8443"},
    {"id":2,"required":true,"ips":["203.0.113.0/24","2001:db8:cafe::/48"],"tcpPorts":"587","udpPorts":"3478-3481"}])";
  const School school(make_policy(
      default_roster,
      std::string(city_toml).replace(std::string(city_toml).find("domains"), 0, "endpoints = [\"endpoints/a.json\"]\n"), list));
  const auto rules = gate_rules_of(school.policy, school.numbers);
  const auto doors = policy::doors_of(rules, "mail.office.test", {});
  CHECK(doors == policy::port_class_door(0));
  const auto pins = pins_of(rules, *base::parse_address("198.51.100.20"), doors, std::chrono::hours(24));
  REQUIRE(pins);
  REQUIRE(pins->size() == 1);
  CHECK((*pins)[0].profile.empty());
  CHECK((*pins)[0].ports == std::vector<base::PortRange>{{6, 143, 143}, {6, 587, 587}, {6, 8443, 8443}});
  const auto moment = moment_at(school.policy, instant(school.policy, "2026-11-23 09:00"));
  const auto intent = intent_of(school.policy, lan, moment, school.numbers,
                                generations_over({}, school.policy, lan, moment, school.numbers, false, first));
  using netfilter::planner::Service;
  const auto prefix = [](const char* text) { return *base::parse_prefix(text); };
  CHECK(intent.cloud_services == std::vector<Service>{{prefix("203.0.113.0/24"), 6, 587, 587},
                                                      {prefix("203.0.113.0/24"), 17, 3478, 3481},
                                                      {prefix("2001:db8:cafe::/48"), 6, 587, 587},
                                                      {prefix("2001:db8:cafe::/48"), 17, 3478, 3481}});
}

SCENARIO("where content is kept, TLS ends on the box for school-owned groups, and never for devices that nobody knows") {
  School school(make_policy());
  const auto moment = moment_at(school.policy, instant(school.policy, "2026-11-23 09:00"));
  const auto intended = [&] {
    return intent_of(school.policy, lan, moment, school.numbers,
                     generations_over({}, school.policy, lan, moment, school.numbers, false, first));
  };
  CHECK_FALSE(intended().web);
  school.policy.cache.emplace().lan = {*base::parse_address("10.77.0.1")};
  const auto intent = intended();
  REQUIRE(intent.web);
  CHECK(intent.web->addresses == school.policy.cache->lan);
  CHECK(intent.web->terminating == std::vector{school.numbers.groups.find("3b")->second});
  // The views that their questions are answered by go with it.
  const auto rules = gate_rules_of(school.policy, school.numbers);
  for (std::size_t i = 0; i < school.policy.groups.size(); ++i) {
    INFO(school.policy.groups[i].name);
    CHECK(rules.views.at(intent.groups[i].view).steer == (school.policy.groups[i].name == "3b"));
  }
}

SCENARIO("two reloads within a second are two events") {
  const auto policy = make_policy();
  const auto at = instant(policy, "2026-11-23 09:00:00");
  const auto id = [&](base::Instant when) {
    return nlohmann::json::parse(configuration_event(policy, when, {})).at("id").get<std::string>();
  };
  CHECK(id(at) != id(at + std::chrono::microseconds(1)));
  CHECK(id(at) == id(at));
}

SCENARIO("the ring of events is bounded") {
  EventLog log;
  for (std::size_t i = 0; i < EventLog::most + 5; ++i) log.add({}, std::to_string(i));
  CHECK(log.all().size() == EventLog::most);
  CHECK(log.all().front() == "5");
}

SCENARIO("events are listed by their instants, and those of one instant as they were told") {
  const base::Instant nine{std::chrono::hours{9}};
  const auto eight = nine - std::chrono::hours{1};
  EventLog log;
  log.add(nine, "mode");
  log.add(eight, "override, told anew");
  log.add(nine, "clock");
  log.add(eight, "another, told anew");
  CHECK(log.all() == std::vector<std::string>{"override, told anew", "another, told anew", "mode", "clock"});
  // What was told last is there, however old it is; what was told first made room.
  for (std::size_t i = 0; i < EventLog::most - 1; ++i) log.add(nine, "filling");
  log.add(eight, "late");
  CHECK(log.all().size() == EventLog::most);
  CHECK(log.all().front() == "late");
}
