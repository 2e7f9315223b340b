// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// The gate without sockets: what becomes of a question, the instant passed in.
#include "daemon/dns/screen.hpp"
#include "tests/unit/dns_stage.hpp"

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;
using std::chrono::seconds;

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

SCENARIO("a tablet that wants no validation has none for what leads nowhere, but no address is opened without") {
  for (const auto type : {rr::a, rr::aaaa, rr::https, rr::svcb, rr::txt, rr::ds, rr::dnskey, rr::rrsig, rr::cname}) {
    INFO(type);
    for (const auto view : {school, leisure}) {
      Stage stage;
      stage.ask({"lernen.test", type, 1, true, 1232, true, true}, view);
      REQUIRE(stage.upstream.size() == 1);
      CHECK(stage.upstream[0].second.checking_disabled == !tells_addresses(type));
      CHECK(stage.upstream[0].second.edns->dnssec_ok);
      stage.resolve({});
      // The header's bit is the tablet's own all the same (RFC 4035, section 3.2.2).
      REQUIRE(stage.answers.size() == 1);
      CHECK((stage.answers[0].flags & 0x0010) != 0);
    }
  }
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

namespace {

constexpr std::uint32_t steered = 77;

/// inhalte.cloud.mnspro.test is kept, for the view `steered`.
policy::GateRules with_origin() {
  auto held = rules();
  held.lan = {base::parse_interface_address("10.77.0.1/16").value()};
  held.steered = {{"inhalte.cloud.mnspro.test", 3, policy::Scope::school, {}}};
  held.views[steered] = {held.views.at(school).profile, true};
  return held;
}
constexpr std::uint64_t well = 1U << 3U;

std::vector<std::string> told_at_once(Stage& stage, std::uint32_t view = steered) {
  stage.answers.clear();
  stage.ask({"inhalte.cloud.mnspro.test"}, view);
  return stage.answers.size() == 1 ? stage.answers[0].addresses() : std::vector<std::string>{};
}

}  // namespace

SCENARIO("names are steered from when schultord says that the cache answers for them until it says otherwise") {
  Stage stage(with_origin());
  CHECK(told_at_once(stage).empty());
  stage.gate.on_well_origins({1, well});
  CHECK(told_at_once(stage) == std::vector<std::string>{"10.77.0.1"});
  CHECK(stage.requests.empty());
  CHECK(told_at_once(stage, school).empty());
  stage.gate.on_well_origins({1, 0});
  CHECK(told_at_once(stage).empty());
}

SCENARIO("who is sent to the origin while the cache is not well asks again within a minute") {
  Stage stage(with_origin());
  for (const auto& [view, ttl] : {std::pair(steered, 60U), std::pair(school, 3000U)}) {
    stage.answers.clear();
    stage.ask({"inhalte.cloud.mnspro.test"}, view);
    stage.resolve({address_record("inhalte.cloud.mnspro.test", "198.51.100.40", 3000)});
    stage.gate.end_of_turn(stage.now);
    if (stage.answers.empty()) stage.reply(PinStatus::pinned, stage.requests.size() - 1);
    REQUIRE(stage.answers.size() == 1);
    CHECK(stage.answers[0].answers.at(0).ttl == ttl);
  }
}

SCENARIO("with the link to schultord, or with other rules, nothing is well any more") {
  Stage stage(with_origin());
  stage.gate.on_well_origins({1, well});
  stage.gate.on_link_lost(stage.now);
  CHECK(told_at_once(stage).empty());
  stage.gate.on_well_origins({1, well});
  stage.announce(with_origin(), {2, 1});
  CHECK(told_at_once(stage).empty());
  // By its place in the rules of before.
  stage.gate.on_well_origins({1, well});
  CHECK(told_at_once(stage).empty());
  stage.gate.on_well_origins({2, well});
  CHECK(told_at_once(stage) == std::vector<std::string>{"10.77.0.1"});
  // The same rules again, such as after a repair of the ruleset.
  stage.announce(with_origin(), {2, 2});
  CHECK(told_at_once(stage) == std::vector<std::string>{"10.77.0.1"});
}

SCENARIO("what was answered or asked before an origin became well is not given after it") {
  Stage stage(with_origin());
  const auto kept = [&] {
    Bytes room(1232);
    return stage.gate.answer_kept(UdpPeer{}, steered, question({"inhalte.cloud.mnspro.test"}), room, stage.now) != 0;
  };
  stage.ask({"inhalte.cloud.mnspro.test"}, steered);
  stage.resolve({address_record("inhalte.cloud.mnspro.test", "198.51.100.40")});
  stage.gate.end_of_turn(stage.now);
  stage.reply(PinStatus::pinned);
  REQUIRE(kept());
  stage.gate.on_well_origins({1, well});
  CHECK_FALSE(kept());
  stage.gate.on_well_origins({1, 0});
  stage.answers.clear();
  stage.ask({"inhalte.cloud.mnspro.test"}, steered);
  stage.gate.on_well_origins({1, well});
  stage.resolve({address_record("inhalte.cloud.mnspro.test", "198.51.100.40")});
  REQUIRE(stage.answers.size() == 1);
  CHECK(stage.answers[0].addresses() == std::vector<std::string>{"10.77.0.1"});
  // Asked before, and answered when its pins are there.
  stage.gate.on_well_origins({1, 0});
  stage.gate.on_link_lost(stage.now);
  stage.ask({"b.cloud.mnspro.test"}, steered);
  stage.resolve({address_record("b.cloud.mnspro.test", "198.51.100.41")});
  stage.gate.end_of_turn(stage.now);
  stage.gate.on_well_origins({1, well});
  stage.reply(PinStatus::pinned, stage.requests.size() - 1);
  Bytes room(1232);
  CHECK(stage.gate.answer_kept(UdpPeer{}, steered, question({"b.cloud.mnspro.test"}), room, stage.now) == 0);
}
