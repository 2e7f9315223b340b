// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// The gate without sockets: what is pinned before an answer leaves, and for how long.
#include "tests/unit/dns_stage.hpp"

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;
using std::chrono::seconds;

SCENARIO("an answer leaves only after its addresses are pinned") {
  Stage stage;
  stage.ask({"lernen.test"});
  stage.resolve({address_record("lernen.test", "198.51.100.20", 120)});
  CHECK(stage.answers.empty());
  stage.gate.end_of_turn(stage.now);
  REQUIRE(stage.requests.size() == 1);
  CHECK(stage.answers.empty());
  CHECK(stage.requests[0].rules_epoch == 1);
  REQUIRE(stage.requests[0].entries.size() == 1);
  CHECK(stage.requests[0].entries[0] == PinEntry{address("198.51.100.20"), school_door, seconds(360)});
  stage.reply(PinStatus::pinned);
  REQUIRE(stage.answers.size() == 1);
  CHECK(stage.answers[0].addresses() == std::vector<std::string>{"198.51.100.20"});
  CHECK(stage.answers[0].answers[0].ttl == 120);
}

SCENARIO("whatever view asks, a name is pinned for every listed profile that allows it, and the cloud's for the cloud alone") {
  Stage stage;
  stage.ask({"lernen.test"}, leisure);
  stage.resolve({address_record("lernen.test", "198.51.100.20")});
  stage.ask({"cloud.mnspro.test", rr::aaaa}, leisure);
  stage.resolve({address_record("cloud.mnspro.test", "2001:db8:51::10", 86400)});
  stage.gate.end_of_turn(stage.now);
  REQUIRE(stage.requests.size() == 1);
  REQUIRE(stage.requests[0].entries.size() == 2);
  CHECK(stage.requests[0].entries[0].doors == school_door);
  CHECK(stage.requests[0].entries[1] == PinEntry{address("2001:db8:51::10"), policy::cloud_door, limits::cloud_pin});
  stage.reply(PinStatus::pinned);
  REQUIRE(stage.answers.size() == 2);
  CHECK(stage.answers[1].answers[0].ttl == limits::cloud_ttl_cap.count());
  // A name that no listed profile allows is answered in an open one at once.
  stage.ask({"spiele.test"}, leisure);
  stage.resolve({address_record("spiele.test", "198.51.100.30", 86400)});
  REQUIRE(stage.answers.size() == 3);
  CHECK(stage.answers[2].answers[0].ttl == limits::ttl_cap.count());
}

SCENARIO("what turns up in one turn shares one request, and each address goes into it once") {
  Stage stage;
  for (int i = 0; i < 20; ++i) stage.ask({"lernen.test"});
  for (int i = 0; i < 20; ++i) stage.resolve({address_record("lernen.test", fmt::format("198.51.100.{}", i % 4))});
  stage.gate.end_of_turn(stage.now);
  REQUIRE(stage.requests.size() == 1);
  CHECK(stage.requests[0].entries.size() == 4);
  CHECK(stage.answers.empty());
  stage.reply(PinStatus::pinned);
  CHECK(stage.answers.size() == 20);
  stage.gate.end_of_turn(stage.now);
  CHECK(stage.requests.size() == 1);
}

SCENARIO("a request never grows beyond what schultord takes") {
  Stage stage;
  for (unsigned i = 0; i < 10; ++i) {
    stage.ask({"lernen.test"});
    std::vector<Record> records;
    for (unsigned j = 0; j < 60; ++j) records.push_back(address_record("lernen.test", fmt::format("198.51.{}.{}", 100 + i, j)));
    stage.resolve(records);
  }
  stage.gate.end_of_turn(stage.now);
  REQUIRE(stage.requests.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(decode(encode(stage.requests[i])));
    stage.reply(PinStatus::pinned, i);
  }
  CHECK(stage.answers.size() == 10);
}

SCENARIO("a hot name costs no round trip until half its pin's life is gone") {
  Stage stage;
  stage.warm("cloud.mnspro.test", "198.51.100.10");
  stage.now += limits::cloud_pin / 2 - seconds(1);
  stage.ask({"cloud.mnspro.test"});
  stage.resolve({address_record("cloud.mnspro.test", "198.51.100.10")});
  CHECK(stage.answers.size() == 1);
  stage.now += seconds(2);
  stage.ask({"cloud.mnspro.test"});
  stage.resolve({address_record("cloud.mnspro.test", "198.51.100.10")});
  CHECK(stage.answers.size() == 1);
  stage.gate.end_of_turn(stage.now);
  CHECK(stage.requests.size() == 1);
}

SCENARIO("no answer outlives its pin") {
  // Over every age of the pin, with schultord there and away.
  for (int age = 0; age < 500; age += 7) {
    INFO("age " << age);
    Stage stage;
    stage.warm("lernen.test", "198.51.100.20", 300);
    stage.now += seconds(age);
    const auto pin_left = 300 + limits::pin_grace.count() - age;
    stage.link = PinSent::away;
    stage.ask({"lernen.test"});
    stage.resolve({address_record("lernen.test", "198.51.100.20", 300)});
    stage.gate.end_of_turn(stage.now);
    REQUIRE(stage.answers.size() == 1);
    if (stage.answers[0].rcode == 0) CHECK(stage.answers[0].answers[0].ttl < pin_left);
    else CHECK(pin_left <= limits::least_pin.count());
  }
}

SCENARIO("a stale request is judged anew under the new rules, whichever comes first") {
  auto taken_away = rules();
  taken_away.profiles[0].allow = patterns({"tief.unter.test"});
  for (const bool rules_first : {true, false}) {
    for (const bool still_allowed : {true, false}) {
      Stage stage;
      stage.ask({"lernen.test"});
      stage.resolve({address_record("lernen.test", "198.51.100.20")});
      stage.gate.end_of_turn(stage.now);
      REQUIRE(stage.requests.size() == 1);
      if (!rules_first) stage.reply(PinStatus::stale);
      CHECK(stage.answers.empty());
      stage.announce(still_allowed ? rules() : taken_away, {2, 1});
      if (rules_first) stage.reply(PinStatus::stale);
      stage.gate.end_of_turn(stage.now);
      if (still_allowed) {
        CHECK(stage.answers.empty());
        REQUIRE(stage.requests.size() == 2);
        CHECK(stage.requests[1].rules_epoch == 2);
        stage.reply(PinStatus::pinned, 1);
        REQUIRE(stage.answers.size() == 1);
        CHECK(stage.answers[0].rcode == 0);
      } else {
        CHECK(stage.requests.size() == 1);
        REQUIRE(stage.answers.size() == 1);
        CHECK(stage.answers[0].rcode == 3);
        CHECK(stage.answers[0].answers.empty());
      }
    }
  }
}

SCENARIO("in an open view names are answered without schultord, for a moment each") {
  Stage stage;
  stage.ask({"lernen.test"}, leisure);
  stage.resolve({address_record("lernen.test", "198.51.100.20", 300)});
  const auto answered = [&] {
    REQUIRE(stage.answers.size() == 1);
    CHECK(stage.answers[0].rcode == 0);
    REQUIRE(stage.answers[0].answers.size() == 1);
    CHECK(stage.answers[0].answers[0].ttl == limits::unpinned_ttl.count());
  };
  SECTION("it is away") {
    stage.link = PinSent::away;
    stage.gate.end_of_turn(stage.now);
    answered();
  }
  SECTION("it goes away meanwhile") {
    stage.gate.end_of_turn(stage.now);
    stage.gate.on_link_lost(stage.now);
    answered();
  }
  SECTION("it is there and refuses") {
    stage.gate.end_of_turn(stage.now);
    stage.reply(PinStatus::refused);
    REQUIRE(stage.answers.size() == 1);
    CHECK(stage.answers[0].rcode == 2);
  }
}

SCENARIO("without pins there are no addresses") {
  Stage stage;
  stage.ask({"lernen.test", rr::a, 1, true});
  stage.resolve({address_record("lernen.test", "198.51.100.20")});
  const auto failed = [&] {
    REQUIRE(stage.answers.size() == 1);
    CHECK(stage.answers[0].rcode == 2);
    CHECK(stage.answers[0].ede == 0);
    CHECK(stage.answers[0].answers.empty());
  };
  SECTION("refused") {
    stage.gate.end_of_turn(stage.now);
    stage.reply(PinStatus::refused);
    failed();
  }
  SECTION("failed") {
    stage.gate.end_of_turn(stage.now);
    stage.reply(PinStatus::failed);
    failed();
  }
  SECTION("schultord is away") {
    stage.link = PinSent::away;
    stage.gate.end_of_turn(stage.now);
    failed();
  }
  SECTION("schultord goes away meanwhile") {
    stage.gate.end_of_turn(stage.now);
    stage.gate.on_link_lost(stage.now);
    failed();
  }
  SECTION("schultord takes too long") {
    stage.gate.end_of_turn(stage.now);
    stage.now += limits::pin_wait - std::chrono::milliseconds(1);
    stage.gate.tick(stage.now);
    CHECK(stage.answers.empty());
    stage.now += std::chrono::milliseconds(1);
    stage.gate.tick(stage.now);
    failed();
    // The late word is still of use for the next question.
    stage.reply(PinStatus::pinned);
    stage.ask({"lernen.test"});
    stage.resolve({address_record("lernen.test", "198.51.100.20", 60)});
    CHECK(stage.answers.size() == 2);
  }
  SECTION("the rules that a stale request waits for never come") {
    stage.gate.end_of_turn(stage.now);
    stage.reply(PinStatus::stale);
    stage.now += limits::pin_wait;
    stage.gate.tick(stage.now);
    failed();
  }
  SECTION("schultord's socket is full: the next turn tries again") {
    stage.link = PinSent::busy;
    stage.gate.end_of_turn(stage.now);
    CHECK(stage.answers.empty());
    stage.link = PinSent::sent;
    stage.gate.end_of_turn(stage.now);
    REQUIRE(stage.requests.size() == 1);
    stage.reply(PinStatus::pinned);
    REQUIRE(stage.answers.size() == 1);
    CHECK(stage.answers[0].rcode == 0);
  }
}

SCENARIO("pins that were lost are made anew") {
  Stage stage;
  stage.warm("lernen.test", "198.51.100.20");
  stage.announce(rules(), {1, 2});
  stage.ask({"lernen.test"});
  stage.resolve({address_record("lernen.test", "198.51.100.20")});
  stage.gate.end_of_turn(stage.now);
  CHECK(stage.requests.size() == 1);
  CHECK(stage.answers.empty());
}

SCENARIO("a pin for one profile is not taken for another's after a reload puts a profile before it") {
  Stage stage;
  stage.warm("lernen.test", "198.51.100.20");
  auto more = rules();
  policy::ProfileNames homework = more.profiles[0];
  homework.name = "homework";
  more.profiles.insert(more.profiles.begin(), homework);
  for (auto& [number, view] : more.views) ++view.profile;
  stage.announce(more, {2, 1});
  stage.ask({"lernen.test"});
  stage.resolve({address_record("lernen.test", "198.51.100.20")});
  stage.gate.end_of_turn(stage.now);
  CHECK(stage.answers.empty());
  REQUIRE(stage.requests.size() == 1);
  CHECK(stage.requests[0].entries[0].doors == (school_door | exam_door));
}

SCENARIO("a cloud name is pinned for a day on the ports of its list, and its answer may be kept as long as any cloud name's") {
  Stage stage;
  stage.announce(with_listed_ports(policy::port_class_door(0)), {2, 1});
  for (const auto view : {school, leisure, exam}) {
    stage.requests.clear();
    stage.ask({"mail.mnspro.test", rr::a, 1, false}, view);
    stage.resolve({address_record("mail.mnspro.test", "198.51.100.11", 100000)});
    stage.gate.end_of_turn(stage.now);
    REQUIRE(stage.requests.size() == 1);
    CHECK(stage.requests[0].entries ==
          std::vector<PinEntry>{{address("198.51.100.11"), policy::port_class_door(0), limits::cloud_pin}});
  }
  stage.reply(PinStatus::pinned);
  CHECK(stage.answers.back().answers.at(0).ttl == limits::cloud_ttl_cap.count());
}

SCENARIO("a pin for some ports is not taken for one on others after a reload gives the same bit another meaning") {
  auto before = with_listed_ports(policy::port_class_door(0));
  for (const bool changed : {false, true}) {
    Stage stage;
    stage.announce(before, {2, 1});
    stage.warm("mail.mnspro.test", "198.51.100.11");
    auto after = before;
    if (changed) after.cloud_ports[0] = {{IPPROTO_TCP, 8443, 8443}};
    stage.announce(after, {3, 1});
    stage.requests.clear();
    stage.ask({"mail.mnspro.test"});
    stage.resolve({address_record("mail.mnspro.test", "198.51.100.11")});
    stage.gate.end_of_turn(stage.now);
    CHECK(stage.requests.size() == (changed ? 1 : 0));
  }
}
