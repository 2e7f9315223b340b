// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// What the gate counts: nothing is lost between the counters and what happened.
#include "tests/catch.hpp"
#include "tests/unit/dns_stage.hpp"

#include <algorithm>
#include <map>
#include <random>

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

constexpr std::uint32_t no_view = 99;

policy::GateRules counted_rules() {
  auto held = rules();
  held.profiles[0].allow = patterns({"lernen.test", "tief.unter.test", "www.google.com"});
  held.profiles[0].safe_search = {true, policy::YouTube::off};
  return held;
}

/// As the sockets do it: what is kept is asked first.
struct CountingStage : Stage {
  CountingStage() : Stage(counted_rules()) {}
  void ask(const Asked& asked, std::uint32_t view = school) { send(question(asked), view); }
  void send(const Bytes& packet, std::uint32_t view) {
    std::array<std::uint8_t, limits::udp_answer> out{};
    if (gate.answer_kept(UdpPeer{}, view, packet, out, now) == 0) gate.on_question(UdpPeer{}, view, packet, now);
  }
  void resolve(std::vector<Record> records, std::uint16_t flags = 0x8180) {
    REQUIRE_FALSE(upstream.empty());
    const auto [id, query] = upstream.front();
    upstream.erase(upstream.begin());
    gate.on_upstream(id, response(question({query.name.lower_text(), query.type}), {std::move(records), {}, {}, flags}), now);
    gate.end_of_turn(now);
  }
  void reply(PinStatus status) { gate.on_pin_reply({requests.back().sequence, status}, now); }

  [[nodiscard]] std::uint64_t count(Verdict verdict, std::uint32_t view = school) const {
    return gate.counters().views()[view].by_verdict[static_cast<std::size_t>(verdict)];
  }
  [[nodiscard]] std::uint64_t cached(std::uint32_t view = school) const { return gate.counters().views()[view].cached; }
  [[nodiscard]] std::uint64_t all() const {
    std::uint64_t sum = 0;
    for (const auto& view : gate.counters().views()) sum += view.questions();
    return sum;
  }
  [[nodiscard]] const Histogram& answered(Waited waited) const {
    return gate.counters().answered()[static_cast<std::size_t>(waited)];
  }
};

}  // namespace

TEST_CASE("a quantile is at most a quarter too much, and never too little") {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> exponent(0, 7);  // 1 µs to 10 s
  for (int round = 0; round < 20; ++round) {
    Histogram histogram;
    std::vector<double> sorted;
    for (int i = 0; i < 1 + round * 50; ++i) {
      const auto took = nanoseconds(static_cast<std::int64_t>(1000 * std::pow(10, exponent(random))));
      histogram.add(took);
      sorted.push_back(static_cast<double>(took.count()) / 1000);
    }
    std::sort(sorted.begin(), sorted.end());
    CHECK(histogram.count() == sorted.size());
    for (const double q : {0.0, 0.01, 0.5, 0.9, 0.99, 1.0}) {
      const auto rank = std::max<std::size_t>(static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size()))), 1);
      const auto exact = sorted[rank - 1];
      const auto told = static_cast<double>(histogram.quantile(q).value().count());
      INFO(q << " of " << sorted.size() << ": " << exact << " µs, told " << told);
      CHECK(told > exact);
      CHECK(told <= std::max(exact * 1.25, std::floor(exact)) + 1);
    }
  }
}

TEST_CASE("buckets follow upon one another, and the last takes what is longer") {
  for (std::size_t i = 1; i < Histogram::buckets; ++i) {
    Histogram histogram;
    // A bucket's end is the first of the next.
    histogram.add(Histogram::end_of(i - 1));
    CHECK(histogram.counts[i] == 1);
    histogram.add(Histogram::end_of(i) - nanoseconds(1), 3);
    CHECK(histogram.counts[i] == 4);
  }
  CHECK(Histogram::end_of(Histogram::buckets - 1) == microseconds(1U << 24U));
  Histogram histogram;
  CHECK_FALSE(histogram.quantile(0.5));
  histogram.add(std::chrono::hours(1));
  histogram.add(nanoseconds(-1));
  CHECK(histogram.counts.back() == 1);
  CHECK(histogram.counts.front() == 1);
}

SCENARIO("every question counts once, in its view and by what became of it") {
  CountingStage stage;
  stage.ask({"lernen.test"});
  stage.resolve({address_record("lernen.test", "198.51.100.20")});
  stage.reply(PinStatus::pinned);
  CHECK(stage.count(Verdict::allowed) == 1);
  stage.ask({"lernen.test"});
  CHECK(stage.count(Verdict::allowed) == 2);
  CHECK(stage.cached() == 1);

  stage.ask({"www.google.com"});
  stage.resolve({address_record("forcesafesearch.google.com", "198.51.100.38")});
  stage.reply(PinStatus::pinned);
  stage.ask({"www.google.com"});
  CHECK(stage.count(Verdict::rewritten) == 2);
  CHECK(stage.cached() == 2);

  for (const auto* name : {"spiele.test", "spiele.test", "test"}) stage.ask({name});
  CHECK(stage.count(Verdict::refused) == 3);
  CHECK(stage.cached() == 2);

  stage.ask({"lernen.test", rr::cname});
  stage.resolve({name_record("lernen.test", rr::cname, "doh.test")});
  CHECK(stage.count(Verdict::screened) == 1);

  stage.ask({"schultor.internal"});
  stage.ask({"drucker.local"});
  CHECK(stage.count(Verdict::own) == 2);
  stage.ask({"lernen.test", rr::any});
  CHECK(stage.count(Verdict::no_type) == 1);
  stage.ask({"lernen.test", 252});
  CHECK(stage.count(Verdict::fault) == 1);

  stage.ask({"x.lernen.test"});
  stage.resolve({}, 0x8182);  // SERVFAIL
  stage.ask({"y.lernen.test"});
  stage.gate.on_upstream_silent(stage.upstream.front().first, Ede::no_reachable_authority, stage.now);
  stage.resolver_full = true;
  stage.ask({"z.lernen.test"});
  CHECK(stage.count(Verdict::failed) == 3);

  stage.send(Bytes(5), school);
  CHECK(stage.count(Verdict::ignored) == 1);
  stage.ask({"lernen.test"}, no_view);
  CHECK(stage.count(Verdict::ignored, 0) == 1);
  CHECK(stage.all() == 17);
  CHECK(stage.gate.under_way() == 0);
}

SCENARIO("who floods is counted among the dropped, and views beyond those that are counted share the last place") {
  CountingStage stage;
  for (int i = 0; i < limits::questions_a_second + 7; ++i) stage.ask({"spiele.test"});
  CHECK(stage.count(Verdict::refused) == limits::questions_a_second);
  CHECK(stage.count(Verdict::dropped) == 7);
  CHECK(stage.cached() == 0);
  stage.ask({"spiele.test"}, counted_views + 5);
  CHECK(stage.count(Verdict::dropped, counted_views - 1) == 1);
}

SCENARIO("how long an answer took is told by what it waited for") {
  CountingStage stage;
  stage.ask({"lernen.test"});
  stage.ask({"lernen.test"});
  stage.now += milliseconds(10);
  stage.resolve({address_record("lernen.test", "198.51.100.20")});
  stage.resolve({address_record("lernen.test", "198.51.100.20")});
  CHECK(stage.answered(Waited::pins).count() == 0);
  stage.now += milliseconds(2);
  stage.gate.on_pin_reply({stage.requests.at(0).sequence, PinStatus::pinned}, stage.now);
  CHECK(stage.answered(Waited::pins).count() == 1);
  CHECK(stage.answered(Waited::pins).quantile(1).value() == microseconds(12'288));

  // Its addresses are open: the second waits for the resolver alone once its own request is answered.
  stage.ask({"www.lernen.test"});
  stage.now += milliseconds(3);
  stage.upstream.erase(stage.upstream.begin(), stage.upstream.end() - 1);
  stage.resolve({address_record("www.lernen.test", "198.51.100.20")});
  CHECK(stage.answered(Waited::resolver).count() == 1);
  CHECK(stage.answered(Waited::resolver).quantile(1).value() == microseconds(3'072));

  // What leaves at once leaves together, at the end of the turn.
  for (int i = 0; i < 3; ++i) stage.ask({"spiele.test"});
  CHECK(stage.answered(Waited::nothing).count() == 0);
  stage.now += microseconds(40);
  stage.gate.end_of_turn(stage.now);
  CHECK(stage.answered(Waited::nothing).count() == 3);
  CHECK(stage.answered(Waited::nothing).quantile(0.5).value() == microseconds(48));
}

SCENARIO("requests for pins are counted by what came of them") {
  CountingStage stage;
  unsigned asked = 0;
  const auto want = [&] {
    stage.ask({"lernen.test", rr::a, static_cast<std::uint16_t>(++asked), true, 1232, asked % 2 == 0});
    stage.resolve({address_record("lernen.test", fmt::format("198.51.100.{}", asked))});
  };
  for (const auto status : {PinStatus::refused, PinStatus::failed, PinStatus::stale}) {
    want();
    stage.reply(status);
  }
  want();
  stage.gate.on_link_lost(stage.now);
  stage.link = PinSent::away;
  want();
  stage.link = PinSent::sent;
  want();
  stage.reply(PinStatus::pinned);
  CHECK(stage.gate.counters().pins == PinCounts{5, 5, 1, 1, 1, 1, 2});
  CHECK(stage.count(Verdict::failed) == 5);
  CHECK(stage.count(Verdict::allowed) == 1);
}

SCENARIO("questions are logged for as long as it was asked for, of the views that it was asked for, and never who asks") {
  CountingStage stage;
  stage.ask({"spiele.test"});
  stage.answers.clear();
  CHECK(stage.logged.empty());
  CHECK_FALSE(stage.gate.waiting());
  stage.gate.log_questions({stage.now + seconds(10), {school, 0}}, stage.now);
  CHECK(stage.gate.waiting());
  stage.warm("lernen.test", "198.51.100.20");
  stage.ask({"spiele.test"});
  stage.ask({"Andere.Test", rr::https});
  stage.ask({"lernen.test", 999});
  stage.resolve({});
  stage.ask({"lernen.test"});
  stage.ask({"spiele.test"}, leisure);
  stage.ask({"spiele.test"}, no_view);
  CHECK(stage.logged ==
        std::vector<std::string>{"question lernen.test A in school: allowed", "question spiele.test A in school: refused",
                                 "question andere.test HTTPS in school: refused", "question lernen.test TYPE999 in school: allowed",
                                 "question lernen.test A in school: allowed, kept"});
  stage.now += seconds(10);
  stage.ask({"spiele.test"});
  CHECK(stage.logged.size() == 5);
  CHECK(stage.gate.log().on());
  stage.gate.tick(stage.now);
  CHECK_FALSE(stage.gate.log().on());
}

SCENARIO("of all views so many questions are logged in a second, for an hour at most, and off is off") {
  CountingStage stage;
  stage.gate.log_questions({Time::max(), {}}, stage.now);
  for (unsigned i = 0; i < limits::logged_a_second + 5; ++i) stage.ask({"spiele.test"}, i % 2 == 0 ? school : exam);
  CHECK(stage.logged.size() == limits::logged_a_second);
  CHECK(stage.gate.log().left_out() == 5);
  stage.now += seconds(1);
  stage.ask({"spiele.test"});
  CHECK(stage.logged.size() == limits::logged_a_second + 1);
  stage.now += limits::question_log - seconds(1);
  stage.ask({"spiele.test"});
  CHECK(stage.logged.size() == limits::logged_a_second + 1);
  stage.gate.log_questions({Time::max(), {}}, stage.now);
  stage.gate.log_questions({}, stage.now);
  stage.ask({"spiele.test"});
  CHECK(stage.logged.size() == limits::logged_a_second + 1);
  CHECK_FALSE(stage.gate.log().on());
}
