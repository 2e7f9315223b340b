// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// The real schultor-report against a real Mosquitto over TLS, on a bus of its own, in a network namespace of its own.
#define CATCH_CONFIG_RUNNER
#include "tests/catch.hpp"
#include "tests/system/broker/school.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <set>

using namespace schultor::broker_test;
using nlohmann::json;

namespace {

constexpr const char* state_topic = "schultor/1/ggs-am-park/state";

std::vector<std::string> numbered(const std::string& name, int count) {
  std::vector<std::string> ids;
  for (int i = 0; i < count; ++i) ids.push_back(fmt::format("{}/{}", name, i));
  return ids;
}

void raise_all(School& school, const std::vector<std::string>& ids) {
  for (const auto& id : ids) school.raise(id);
}

std::vector<std::string> joined(std::vector<std::string> first, const std::vector<std::string>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

std::set<std::string> as_set(const std::vector<std::string>& ids) { return {ids.begin(), ids.end()}; }

/// Waits for a state of which this is true.
json state_with(School& school, const std::function<bool(const json&)>& wanted) {
  json found;
  school.city->line([&](const std::string& line) {
    if (line.rfind(state_topic, 0) != 0) return false;
    found = json::parse(line.substr(line.find('{')), nullptr, false);
    return found.is_object() && wanted(found);
  });
  return found;
}

bool shows(const json& state, const std::string& profile) {
  return state.value("online", false) && !state["groups"].empty() && state["groups"][0]["profile"] == profile &&
         state["health"]["schultord"] == true;
}

}  // namespace

SCENARIO("the city sees a school's state and each of its events once") {
  School school;
  school.start_broker();
  school.start_city();
  school.start_gateway();
  school.start_report();
  const auto state = state_with(school, [](const json& one) { return shows(one, "leisure"); });
  CHECK(state["school"] == "ggs-am-park");
  CHECK(state["policy_revision"] == 7);
  CHECK_FALSE(state["groups"][0].contains("devices"));
  school.wait_for_broker(true);

  WHEN("the mode changes") {
    school.raise("mode/3b/1");
    school.gateway->tell("describe " + description_json("school"));
    THEN("state and event are there, and who comes later is told the state as well") {
      state_with(school, [](const json& one) { return shows(one, "school"); });
      school.wait_for_events({"mode/3b/1"});
      school.wait_for_depth(0);
      Child late({"mosquitto_sub", "-V", "mqttv5", "-h", "127.0.0.1", "-t", "schultor/1/#", "-F", "%t %r %p"});
      const auto line = late.line_with(state_topic);
      CHECK(line.find(" 1 {") != std::string::npos);
      CHECK(shows(json::parse(line.substr(line.find('{'))), "school"));
    }
  }
  WHEN("an event is raised twice, and listed again by a schultord that comes anew") {
    school.raise("twice");
    school.raise("twice");
    school.wait_for_events({"twice"});
    school.wait_for_depth(0);
    school.gateway->end(SIGKILL);
    state_with(school, [](const json& one) { return one["health"]["schultord"] == false; });
    school.start_gateway();
    school.raise("twice");
    school.raise("after");
    THEN("it is sent once") {
      school.wait_for_events({"after"});
      CHECK(school.event_ids() == std::vector<std::string>{"twice", "after"});
    }
  }
  WHEN("somebody who is not schultord raises an event, and schultord says what is none") {
    sd_bus_emit_signal(school.bus(), "/org/schultor/Gateway1", "org.schultor.Gateway1.Manager", "EventRaised", "s",
                       event_json("forged").c_str());
    sd_bus_flush(school.bus());
    school.gateway->tell("raise {\"id\":[[[[");
    school.gateway->tell("describe {\"groups\":7}");
    school.raise("true");
    THEN("the city gets the true one alone") {
      school.wait_for_events({"true"});
      CHECK(school.event_ids() == std::vector<std::string>{"true"});
      school.report->line_with("An event of schultord's is not understood");
      school.report->line_with("schultord describes itself in a way that is not understood");
    }
  }
  WHEN("it is stopped in order") {
    school.broker->mark();
    CHECK(school.report->end(SIGTERM) == 0);
    THEN("the city is told, and by itself rather than by the last will") {
      state_with(school, [](const json& one) { return one["online"] == false; });
      school.broker->line_with("Client schultor-ggs-am-park disconnected");
    }
  }
  WHEN("it is killed") {
    school.report->end(SIGKILL);
    THEN("its last will says so") {
      CHECK(state_with(school, [](const json& one) { return one["online"] == false; }) == json{{"online", false}});
    }
  }
}

SCENARIO("a broker killed in mid-stream gets everything after its return") {
  School school;
  school.start_broker();
  school.start_city();
  school.start_gateway();
  school.start_report();
  school.wait_for_broker(true);
  school.save_broker();
  const auto before = numbered("before", 600);
  const auto unacknowledged = numbered("unacknowledged", 50);
  const auto meanwhile = numbered("meanwhile", 100);
  raise_all(school, before);
  school.wait_for_events({before[50]});
  // Held first, so that what is raised now is on its way to it and unacknowledged when it dies.
  kill(school.broker->pid(), SIGSTOP);
  raise_all(school, unacknowledged);
  school.gateway->until(
      [&](const std::vector<std::string>& done) { return done.size() >= 1 + before.size() + unacknowledged.size(); });
  school.broker->end(SIGKILL);
  const auto seen_at_kill = as_set(school.event_ids());
  for (const auto& id : unacknowledged) CHECK(seen_at_kill.count(id) == 0);
  school.wait_for_broker(false);
  raise_all(school, meanwhile);
  school.report->line_with("No connection to the city's broker");

  school.start_broker();
  const auto all = joined(joined(before, unacknowledged), meanwhile);
  school.wait_for_events(all);
  school.wait_for_depth(0);
  const auto ids = school.event_ids();
  CHECK(as_set(ids) == as_set(all));
  // What was under way when the broker died may come twice, and the city knows it by its id: no more than were under way.
  CHECK(ids.size() <= all.size() + 20);
  state_with(school, [](const json& one) { return shows(one, "leisure"); });
}

SCENARIO("schultor-report killed with events waiting loses none, though schultord has forgotten them") {
  School school;
  school.start_gateway();
  school.start_report();
  const auto waiting = numbered("waiting", 100);
  raise_all(school, waiting);
  school.wait_for_depth(100);
  school.report->end(SIGKILL);
  school.gateway->tell("forget");

  school.start_broker();
  school.start_city();
  school.start_report();
  school.wait_for_events(waiting);
  school.wait_for_depth(0);
  CHECK(school.event_ids() == waiting);
}

SCENARIO("schultor-report killed again and again while events stream loses none and invents none") {
  School school;
  school.start_broker();
  school.start_city();
  school.start_gateway();
  std::vector<std::string> all;
  for (int round = 0; round < 5; ++round) {
    school.start_report();
    const auto ids = numbered(fmt::format("round{}", round), 200);
    raise_all(school, ids);
    school.wait_for_events({ids[20]});
    school.report->end(SIGKILL);
    all = joined(all, ids);
  }
  school.start_report();
  school.wait_for_events(all);
  school.wait_for_depth(0);
  CHECK(as_set(school.event_ids()) == as_set(all));
  CHECK(school.event_ids().size() <= all.size() + 5 * 20);
}

SCENARIO("an event raised while schultor-report was away is read when it comes back") {
  School school;
  school.start_broker();
  school.start_city();
  school.start_gateway();
  school.raise("unheard", "keep");
  school.start_report();
  school.wait_for_events({"unheard"});
  CHECK(school.event_ids() == std::vector<std::string>{"unheard"});
}

SCENARIO("a school with a certificate of a stranger is refused, and its log says what is wrong") {
  School school;
  school.start_broker();
  school.start_city();
  school.start_gateway();
  school.start_report("stranger-school");
  const auto line = school.report->line_with("No connection to the city's broker");
  CHECK_THAT(line, Catch::Contains("certificate") && Catch::Contains("stranger-school.pem"));
  school.raise("kept");
  school.wait_for_depth(1);
  CHECK(school.city->lines().empty());
  CHECK(school.report->end(SIGTERM) == 0);

  school.start_report("school");
  school.wait_for_events({"kept"});
}

SCENARIO("without its bus schultor-report ends with an error, for the service manager to start it anew") {
  School school;
  school.start_gateway();
  school.start_report();
  school.bus_daemon->end(SIGKILL);
  const int status = school.report->wait();
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
  school.report->line_with("the system bus went away");
}

SCENARIO("a broker that another authority vouches for is not spoken to") {
  School school;
  std::filesystem::copy_file(school.directory / "stranger.pem", school.directory / "city-of-report.pem");
  std::filesystem::rename(school.directory / "city.pem", school.directory / "city-of-broker.pem");
  std::filesystem::copy_file(school.directory / "city-of-broker.pem", school.directory / "city.pem");
  school.start_broker();
  std::filesystem::copy_file(school.directory / "city-of-report.pem", school.directory / "city.pem",
                             std::filesystem::copy_options::overwrite_existing);
  school.start_gateway();
  school.start_report();
  const auto line = school.report->line_with("No connection to the city's broker");
  CHECK_THAT(line, Catch::Contains("the broker's certificate is not signed by"));
}

int main(int argc, char** argv) {
  if (const auto why = why_not_here(); !why.empty()) {
    std::cout << "skipped: " << why << '\n';
    return 77;
  }
  // A program that went away is told of by what it did not say.
  std::signal(SIGPIPE, SIG_IGN);
  return Catch::Session().run(argc, argv);
}
