// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// The gate without sockets: what goes in and comes out, the instant passed in.
#include "daemon/dns/gate.hpp"
#include "tests/catch.hpp"
#include "tests/unit/dns_packets.hpp"

#include <map>

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;
using std::chrono::seconds;

namespace {

/// A gate with a resolver, a schultord and tablets that the test plays.
struct Stage {
  Time now{std::chrono::hours(1)};
  PinSent link = PinSent::sent;
  bool resolver_full = false;
  std::uint64_t dice = 0;
  std::vector<std::pair<JobId, Query>> upstream;
  std::vector<PinRequest> requests;
  std::vector<Told> answers;
  Gate gate{{[this](const Client&, const Bytes& packet) { answers.push_back(told(packet)); },
             [this](JobId id, const Query& query) {
               if (!resolver_full) upstream.emplace_back(id, query);
               return !resolver_full;
             },
             [this](const PinRequest& request) {
               if (link == PinSent::sent) requests.push_back(request);
               return link;
             },
             [this] { return ++dice; }}};

  explicit Stage(const policy::GateRules& first = rules()) { announce(first, {1, 1}); }
  void announce(const policy::GateRules& held, const Announcement& epochs) {
    gate.on_rules(std::make_shared<const policy::GateRules>(held), epochs, now);
  }
  void ask(const Asked& asked, std::uint32_t view = school) { gate.on_question(UdpPeer{}, view, question(asked), now); }
  /// The resolver answers the oldest question that it has.
  void resolve(std::vector<Record> records) {
    REQUIRE_FALSE(upstream.empty());
    const auto [id, query] = upstream.front();
    upstream.erase(upstream.begin());
    gate.on_upstream(id, response(question({query.name.lower_text(), query.type}), {std::move(records), {}, {}}), now);
  }
  void reply(PinStatus status, std::size_t which = 0) { gate.on_pin_reply({requests.at(which).sequence, status}, now); }
  /// A name that is pinned and answered.
  void warm(std::string_view name, std::string_view address, std::uint32_t ttl = 300) {
    ask({name});
    resolve({address_record(name, address, ttl)});
    gate.end_of_turn(now);
    reply(PinStatus::pinned, requests.size() - 1);
    REQUIRE(answers.size() == 1);
    answers.clear();
    requests.clear();
  }
};

}  // namespace

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

SCENARIO("an answer that was given is given again in its view, without the resolver, for as long as its TTL") {
  Stage stage;
  stage.warm("lernen.test", "198.51.100.20", 120);
  const auto kept = [&](const Asked& asked, std::uint32_t view = school) {
    Bytes out(limits::udp_answer);
    out.resize(stage.gate.answer_kept(UdpPeer{}, view, question(asked), out, stage.now));
    return out.empty() ? std::optional<Told>() : std::optional(told(out));
  };
  REQUIRE(kept({"LERNEN.test"}));
  CHECK(kept({"LERNEN.test"})->addresses() == std::vector<std::string>{"198.51.100.20"});
  CHECK(kept({"LERNEN.test"})->name == name("LERNEN.test"));
  CHECK_FALSE(kept({"lernen.test"}, leisure));
  stage.now += seconds(100);
  CHECK(kept({"lernen.test"})->answers.at(0).ttl == 20);
  stage.now += seconds(20);
  CHECK_FALSE(kept({"lernen.test"}));
  CHECK(stage.upstream.empty());
}

SCENARIO("a refusal is given again as well; other rules, pins that were lost, or another switch ahead leave no answer") {
  Stage stage;
  const auto is_kept = [&](std::string_view name) {
    Bytes out(limits::udp_answer);
    return stage.gate.answer_kept(UdpPeer{}, school, question({name}), out, stage.now) > 0;
  };
  stage.warm("lernen.test", "198.51.100.20");
  stage.ask({"spiele.test"});
  CHECK(is_kept("lernen.test"));
  CHECK(is_kept("spiele.test"));
  stage.announce(rules(), {1, 2});
  CHECK_FALSE(is_kept("lernen.test"));
  CHECK_FALSE(is_kept("spiele.test"));
  stage.ask({"spiele.test"});
  CHECK(is_kept("spiele.test"));
  stage.announce(rules(), {2, 2});
  CHECK_FALSE(is_kept("spiele.test"));
  stage.ask({"spiele.test"});
  stage.gate.on_switches({});
  CHECK_FALSE(is_kept("spiele.test"));
}

SCENARIO("who floods has no answers from what is kept either") {
  Stage stage;
  stage.ask({"spiele.test"});
  Bytes out(limits::udp_answer);
  int answered = 0;
  for (int i = 0; i < 2 * limits::questions_a_second; ++i)
    answered += stage.gate.answer_kept(UdpPeer{}, school, question({"spiele.test"}), out, stage.now) > 0 ? 1 : 0;
  CHECK(answered == limits::questions_a_second - 1);
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

SCENARIO("a question whose rules change while the resolver is asked is judged by the new ones") {
  Stage stage;
  stage.ask({"lernen.test"});
  auto taken_away = rules();
  taken_away.profiles[0].allow = patterns({});
  stage.announce(taken_away, {2, 1});
  stage.resolve({address_record("lernen.test", "198.51.100.20")});
  REQUIRE(stage.answers.size() == 1);
  CHECK(stage.answers[0].rcode == 3);
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

SCENARIO("a packet without a view is not answered") {
  Stage stage;
  stage.ask({"lernen.test"}, 0);
  stage.ask({"lernen.test"}, 99);
  stage.gate.on_question(UdpPeer{}, 0, Bytes(12), stage.now);
  CHECK(stage.answers.empty());
  CHECK(stage.upstream.empty());
}

SCENARIO("an answer that leads inside becomes NODATA, and pins nothing") {
  Stage stage;
  stage.ask({"lernen.test", rr::a, 1, true});
  stage.resolve({address_record("lernen.test", "10.77.0.1")});
  stage.gate.end_of_turn(stage.now);
  CHECK(stage.requests.empty());
  REQUIRE(stage.answers.size() == 1);
  CHECK(stage.answers[0].rcode == 0);
  CHECK(stage.answers[0].answers.empty());
  CHECK(stage.answers[0].ede == 17);
}

SCENARIO("what the resolver cannot say is said") {
  Stage stage;
  stage.ask({"lernen.test", rr::a, 1, true});
  stage.ask({"lernen.test", rr::a, 2, true});
  stage.gate.on_upstream_silent(stage.upstream[0].first, Ede::no_reachable_authority, stage.now);
  stage.gate.on_upstream(stage.upstream[1].first, Bytes(12), stage.now);
  stage.resolver_full = true;
  stage.ask({"lernen.test", rr::a, 3, true});
  REQUIRE(stage.answers.size() == 3);
  for (const auto& answer : stage.answers) CHECK(answer.rcode == 2);
  CHECK(stage.answers[0].ede == 22);
}

SCENARIO("other types of allowed names pass, without pins") {
  Stage stage;
  stage.ask({"lernen.test", rr::txt});
  stage.resolve({{name("lernen.test"), rr::txt, 86400, {2, 'h', 'i'}}});
  REQUIRE(stage.answers.size() == 1);
  CHECK(stage.answers[0].answers.size() == 1);
  CHECK(stage.answers[0].answers[0].ttl == 300);
}

SCENARIO("hints of a service binding are pinned before it leaves, and nothing is left of one that may not be told") {
  Stage stage;
  const auto binding = [](std::uint8_t last, std::string_view target) {
    Record record{name("lernen.test"), rr::https, 300, {0, 1}};
    const auto target_name = name(target);
    const auto wire = target_name.wire();
    record.data.insert(record.data.end(), wire.begin(), wire.end());
    const Bytes hint{0, 4, 0, 4, 198, 51, 100, last};
    record.data.insert(record.data.end(), hint.begin(), hint.end());
    return record;
  };
  stage.ask({"lernen.test", rr::https});
  stage.resolve({binding(20, "")});
  CHECK(stage.answers.empty());
  stage.gate.end_of_turn(stage.now);
  REQUIRE(stage.requests.size() == 1);
  CHECK(stage.requests[0].entries.at(0) == PinEntry{address("198.51.100.20"), school_door, seconds(360)});
  stage.reply(PinStatus::pinned);
  REQUIRE(stage.answers.size() == 1);
  CHECK(stage.answers[0].answers.size() == 1);
  stage.ask({"lernen.test", rr::https, 1, true});
  stage.resolve({binding(66, "spiele.test")});
  stage.gate.end_of_turn(stage.now);
  CHECK(stage.requests.size() == 1);
  REQUIRE(stage.answers.size() == 2);
  CHECK(stage.answers[1].rcode == 0);
  CHECK(stage.answers[1].answers.empty());
  CHECK(stage.answers[1].ede == 17);
}

SCENARIO("a chain through a blocked name is answered as refused, not as missing") {
  Stage stage;
  stage.ask({"frei.test", rr::a, 1, true}, leisure);
  stage.resolve({name_record("frei.test", rr::cname, "casino.test"), address_record("casino.test", "198.51.100.30")});
  REQUIRE(stage.answers.size() == 1);
  CHECK(stage.answers[0].rcode == 0);
  CHECK(stage.answers[0].ede == 17);
  CHECK(stage.answers[0].answers.empty());
}

SCENARIO("a search engine is answered with its safe name, resolved there and pinned for those who have it so") {
  auto held = rules();
  held.profiles[0].allow = patterns({"google.de"});
  held.profiles[0].safe_search = {true, policy::YouTube::off};
  Stage stage(held);
  stage.ask({"www.Google.de", rr::a, 1, true});
  REQUIRE(stage.upstream.size() == 1);
  CHECK(stage.upstream[0].second.name == name("forcesafesearch.google.com"));
  stage.resolve({address_record("forcesafesearch.google.com", "198.51.100.38")});
  stage.gate.end_of_turn(stage.now);
  REQUIRE(stage.requests.size() == 1);
  CHECK(stage.requests[0].entries.at(0).doors == school_door);
  stage.reply(PinStatus::pinned);
  REQUIRE(stage.answers.size() == 1);
  CHECK(stage.answers[0].name == name("www.Google.de"));
  REQUIRE(stage.answers[0].answers.size() == 2);
  CHECK(stage.answers[0].answers[0].owner == name("www.Google.de"));
  CHECK(target_of(stage.answers[0].answers[0]) == name("forcesafesearch.google.com"));
  CHECK(stage.answers[0].addresses() == std::vector<std::string>{"198.51.100.38"});
  // Rules that change while the resolver is asked: it is asked again, for what holds now.
  stage.ask({"www.google.de"});
  held.profiles[0].safe_search = {};
  stage.announce(held, {2, 1});
  stage.resolve({address_record("forcesafesearch.google.com", "198.51.100.38")});
  REQUIRE(stage.upstream.size() == 1);
  CHECK(stage.upstream[0].second.name == name("www.google.de"));
  CHECK(stage.answers.size() == 1);
}

SCENARIO("what the resolver says of its failure is passed on") {
  Stage stage;
  stage.ask({"lernen.test", rr::a, 1, true});
  const auto [id, query] = stage.upstream.front();
  auto failed = response(question({"lernen.test"}), {{}, {}, {{Name(), rr::opt, 0, {0, 15, 0, 2, 0, 6}}}, 0x8182});
  stage.gate.on_upstream(id, failed, stage.now);
  REQUIRE(stage.answers.size() == 1);
  CHECK(stage.answers[0].rcode == 2);
  CHECK(stage.answers[0].ede == 6);
}

SCENARIO("a negative answer does not outlive the next switch of its view, whoever it comes from") {
  Stage stage;
  const auto denied_for = [&](const Asked& asked, std::uint32_t view) {
    stage.answers.clear();
    stage.ask(asked, view);
    if (!stage.upstream.empty()) {
      const auto [id, query] = stage.upstream.front();
      stage.upstream.clear();
      WireWriter soa(512);
      for (int i = 0; i < 2; ++i) soa.bytes(name("ns.test").wire());
      for (int i = 0; i < 5; ++i) soa.u32(3600);
      stage.gate.on_upstream(
          id, response(question({query.name.lower_text()}), {{}, {{name("test"), rr::soa, 3600, soa.take()}}, {}, 0x8183}),
          stage.now);
    }
    REQUIRE(stage.answers.size() == 1);
    REQUIRE(stage.answers[0].authority.size() == 1);
    return stage.answers[0].authority[0].ttl;
  };
  const Asked refused{"spiele.test"};
  const Asked missing{"gibtsnicht.lernen.test"};
  CHECK(denied_for(refused, school) == 5);
  CHECK(denied_for(missing, school) == 60);
  stage.gate.on_switches({{{school, stage.now + std::chrono::milliseconds(3900)}}, Time::max()});
  CHECK(denied_for(refused, school) == 3);
  CHECK(denied_for(missing, school) == 3);
  CHECK(denied_for(refused, exam) == 5);
  stage.now += std::chrono::milliseconds(3100);
  CHECK(denied_for(refused, school) == 0);
  // Past: it has happened, or schultord is away and will make it happen when it is back.
  stage.now += seconds(3600);
  CHECK(denied_for(refused, school) == 0);
  stage.gate.on_switches({{}, stage.now + seconds(2)});
  CHECK(denied_for(refused, exam) == 2);
}

SCENARIO("one that floods is heard so often and no more, and takes no other's turn") {
  Stage stage;
  const auto from = [](std::uint8_t last) {
    UdpPeer peer;
    peer.address.sin6_addr.s6_addr[15] = last;
    return peer;
  };
  const auto flood = [&](int count) {
    for (int i = 0; i < count; ++i)
      stage.gate.on_question(from(66), leisure, question({fmt::format("n{}.spiele.test", i)}), stage.now);
  };
  flood(20'000);
  CHECK(stage.upstream.size() == limits::jobs_of_one);
  CHECK(stage.answers.empty());
  for (std::uint8_t other = 1; other <= 50; ++other)
    for (int i = 0; i < 20; ++i) stage.gate.on_question(from(other), leisure, question({"frei.test"}), stage.now);
  CHECK(stage.upstream.size() == limits::jobs_of_one + 1000);
  // What is answered makes room for what comes next, within the share of the second.
  for (std::size_t i = 0; i < limits::jobs_of_one; ++i) stage.resolve({});
  CHECK(stage.answers.size() == limits::jobs_of_one);
  stage.upstream.clear();
  flood(20'000);
  CHECK(stage.upstream.empty());
  stage.now += seconds(1);
  flood(20'000);
  CHECK(stage.upstream.size() == limits::jobs_of_one);
  // Refusals cost the resolver nothing, and are bounded all the same.
  stage.answers.clear();
  stage.now += seconds(1);
  for (int i = 0; i < 20'000; ++i) stage.gate.on_question(from(67), school, question({"spiele.test"}), stage.now);
  CHECK(stage.answers.size() == limits::questions_a_second);
}
