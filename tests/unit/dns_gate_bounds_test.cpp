// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// The gate without sockets: how long an answer is kept, and how much of one tablet is heard.
#include "tests/unit/dns_stage.hpp"

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;
using std::chrono::seconds;

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

SCENARIO("a refusal is found again, not kept; other rules, pins that were lost, or another switch ahead leave no answer") {
  Stage stage;
  const auto is_kept = [&](std::string_view name) {
    Bytes out(limits::udp_answer);
    return stage.gate.answer_kept(UdpPeer{}, school, question({name}), out, stage.now) > 0;
  };
  stage.warm("lernen.test", "198.51.100.20");
  stage.ask({"spiele.test"});
  stage.answers.clear();
  CHECK(is_kept("lernen.test"));
  CHECK_FALSE(is_kept("spiele.test"));
  stage.announce(rules(), {1, 2});
  CHECK_FALSE(is_kept("lernen.test"));
  stage.warm("lernen.test", "198.51.100.20");
  CHECK(is_kept("lernen.test"));
  stage.announce(rules(), {2, 2});
  CHECK_FALSE(is_kept("lernen.test"));
  // Its pin is still there.
  stage.ask({"lernen.test"});
  stage.resolve({address_record("lernen.test", "198.51.100.20")});
  CHECK(is_kept("lernen.test"));
  stage.gate.on_switches({});
  CHECK_FALSE(is_kept("lernen.test"));
}

SCENARIO("who floods has no answers from what is kept either") {
  Stage stage;
  stage.warm("lernen.test", "198.51.100.20");
  Bytes out(limits::udp_answer);
  int answered = 0;
  for (int i = 0; i < 2 * limits::questions_a_second; ++i)
    answered += stage.gate.answer_kept(UdpPeer{}, school, question({"lernen.test"}), out, stage.now) > 0 ? 1 : 0;
  CHECK(answered == limits::questions_a_second - 1);
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

TEST_CASE("hardly anybody shares the counters of one that floods, and nobody for longer than a second") {
  std::uint64_t dice = 0;
  FairShare share([&dice] { return dice += 0x9e3779b97f4a7c15U; });
  const auto source = [](std::uint16_t number) {
    in6_addr made{};
    made.s6_addr[14] = static_cast<std::uint8_t>(number >> 8U);
    made.s6_addr[15] = static_cast<std::uint8_t>(number & 0xffU);
    return made;
  };
  Time now{std::chrono::hours(1)};
  // With one counter each of 8,192 some twenty would be passed over here.
  for (int second = 0; second < 200; ++second, now += seconds(1)) {
    std::size_t heard = 0;
    for (std::size_t i = 0; i < 2UL * limits::questions_a_second; ++i) heard += share.admit(source(0), now) ? 1 : 0;
    CHECK(heard == limits::questions_a_second);
    for (std::uint16_t other = 1; other <= 1000; ++other)
      if (!share.admit(source(other), now)) FAIL_CHECK("not heard: " << other << " in second " << second);
  }
}

SCENARIO("over TCP one has the same share, not another one") {
  Stage stage;
  in6_addr source{};
  source.s6_addr[15] = 66;
  UdpPeer over_udp;
  over_udp.address.sin6_addr = source;
  const auto flood_over_tcp = [&](std::string_view name, std::uint32_t view) {
    for (std::uint64_t i = 0; i < 5000; ++i) stage.gate.on_question(TcpPeer{i % 32 + 1, source}, view, question({name}), stage.now);
  };
  flood_over_tcp("spiele.test", leisure);
  CHECK(stage.upstream.size() == limits::jobs_of_one);
  stage.now += seconds(1);
  stage.gate.on_question(over_udp, leisure, question({"frei.test"}), stage.now);
  CHECK(stage.upstream.size() == limits::jobs_of_one);
  flood_over_tcp("spiele.test", school);
  CHECK(stage.answers.size() == limits::questions_a_second - 1);
  stage.ask({"frei.test"}, leisure);
  CHECK(stage.upstream.size() == limits::jobs_of_one + 1);
}
