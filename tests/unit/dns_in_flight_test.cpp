// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/in_flight.hpp"
#include "daemon/dns/limits.hpp"
#include "tests/catch.hpp"
#include "tests/unit/dns_packets.hpp"

#include <set>

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;
using std::chrono::milliseconds;

namespace {

Query query_of(const Asked& asked) { return read_query(question(asked)).value(); }

const Time start{std::chrono::hours(1)};
constexpr auto longest = limits::upstream_retry_most;

/// Sixteen sockets, and dice that fall otherwise each time.
struct Flight {
  std::uint32_t dice = 0;
  InFlight questions{100, 16, [this] { return dice += 0x9e3779b9U; }};
  Time now = start;

  /// Has the resolver answer a question after `took`.
  void measure(milliseconds took) {
    const auto sent = questions.add(1000, query_of({"gemessen.test"}), 0, now);
    REQUIRE(sent);
    const auto packet = response(sent->packet, {});
    now += took;
    REQUIRE(questions.take(0, packet, now));
  }
};

}  // namespace

TEST_CASE("only the answer to the very question is taken from the resolver") {
  InFlight in_flight(10, 16, [n = 0U]() mutable { return n += 0x00010007; });
  const auto query = query_of({"LeRnEn.test"});
  const auto sent = in_flight.add(5, query, 3, start);
  REQUIRE(sent);
  CHECK(sent->socket == 3);
  const Bytes asked(sent->packet.begin(), sent->packet.end());
  const auto good = response(asked, {});
  const auto tampered = [&](std::size_t at) {
    auto packet = good;
    packet[at] ^= 0x20;
    return packet;
  };
  CHECK_FALSE(in_flight.take(sent->socket, tampered(0), start));               // id
  CHECK_FALSE(in_flight.take(sent->socket, tampered(13), start));              // the case of a letter
  CHECK_FALSE(in_flight.take(sent->socket, tampered(12 + 13 + 1), start));     // type
  CHECK_FALSE(in_flight.take(sent->socket, tampered(12 + 13 + 3), start));     // class
  CHECK_FALSE(in_flight.take(2, good, start));                                 // socket
  CHECK_FALSE(in_flight.take(sent->socket, asked, start));                     // a question
  CHECK_FALSE(in_flight.take(sent->socket, ByteView(good).first(20), start));  // cut
  const auto matched = in_flight.take(sent->socket, good, start);
  REQUIRE(matched);
  CHECK(matched->job == 5);
  CHECK(matched->question == asked);
  CHECK_FALSE(in_flight.take(sent->socket, good, start));  // twice
  CHECK(in_flight.empty());
}

SCENARIO("silence has a question sent again by other sockets under other ids, at last over TCP too, and then it is given up") {
  Flight flight;
  auto& questions = flight.questions;
  const auto sent = questions.add(7, query_of({"LERNEN.test"}), 3, start);
  REQUIRE(sent);
  const Bytes first(sent->packet.begin(), sent->packet.end());
  CHECK(questions.due(3, start + longest - milliseconds(1)).again.empty());
  const auto second = questions.due(3, start + longest);
  REQUIRE(second.again.size() == 1);
  CHECK(second.again[0].socket == 4);
  CHECK(second.race.empty());
  const Bytes again(second.again[0].packet.begin(), second.again[0].packet.end());
  CHECK(Bytes(again.begin(), again.begin() + 2) != Bytes(first.begin(), first.begin() + 2));
  CHECK(Bytes(again.begin() + 2, again.end()) == Bytes(first.begin() + 2, first.end()));
  // Twice as much patience the next time.
  CHECK(questions.due(9, start + 3 * longest - milliseconds(1)).again.empty());
  const auto third = questions.due(9, start + 3 * longest);
  REQUIRE(third.again.size() == 1);
  CHECK(third.again[0].socket == 9);
  REQUIRE(third.race.size() == 1);
  CHECK(third.race[0].job == 7);
  CHECK(third.race[0].end == start + limits::upstream_wait);
  CHECK(third.race[0].question == Bytes(third.again[0].packet.begin(), third.again[0].packet.end()));
  const auto end = start + limits::upstream_wait;
  CHECK(questions.due(1, end - milliseconds(1)).silent.empty());
  SECTION("no answer at all") {
    const auto last = questions.due(1, end);
    CHECK(last.again.empty());
    CHECK(last.silent == std::vector<JobId>{7});
    // What comes now belongs to nothing.
    for (const auto& [socket, packet] : {std::pair(3, first), std::pair(4, again)})
      CHECK_FALSE(questions.take(static_cast<std::size_t>(socket), response(packet, {}), end));
  }
  SECTION("the answer to the first packet, then to the second") {
    CHECK(questions.take(3, response(first, {}), end - milliseconds(1)));
    CHECK_FALSE(questions.take(4, response(again, {}), end - milliseconds(1)));
    CHECK(questions.due(1, end).silent.empty());
  }
  SECTION("an answer over TCP") {
    questions.drop(7);
    CHECK_FALSE(questions.take(4, response(again, {}), end - milliseconds(1)));
    CHECK(questions.due(1, end).silent.empty());
  }
  CHECK(questions.empty());
}

TEST_CASE("there are only so many questions, however often each was sent") {
  Flight flight;
  const auto query = query_of({"lernen.test"});
  for (JobId job = 1; job <= 100; ++job) CHECK(flight.questions.add(job, query, job % 16, start));
  CHECK_FALSE(flight.questions.add(101, query, 0, start));
  CHECK(flight.questions.due(5, start + longest).again.size() == 100);
  CHECK(flight.questions.due(6, start + 3 * longest).again.size() == 100);
  CHECK_FALSE(flight.questions.add(101, query, 0, start + 3 * longest));
  CHECK(flight.questions.due(7, start + limits::upstream_wait).silent.size() == 100);
  CHECK(flight.questions.empty());
  CHECK(flight.questions.add(101, query, 0, start + limits::upstream_wait));
}

TEST_CASE("a question that is asked anew under its number waits by its own time") {
  Flight flight;
  const auto first = flight.questions.add(1, query_of({"lernen.test"}), 0, start);
  REQUIRE(flight.questions.take(0, response(first->packet, {}), start + longest / 2));
  REQUIRE(flight.questions.add(1, query_of({"lernen.test"}), 0, start + longest / 2));
  const auto end = start + longest / 2 + limits::upstream_wait;
  for (auto now = start; now < end; now += limits::tick) CHECK(flight.questions.due(1, now).silent.empty());
  CHECK(flight.questions.due(1, end).silent.size() == 1);
}

TEST_CASE("a question whose time is over when one comes to look is given up at once") {
  Flight flight;
  REQUIRE(flight.questions.add(1, query_of({"lernen.test"}), 0, start));
  const auto due = flight.questions.due(1, start + limits::upstream_wait);
  CHECK(due.again.empty());
  CHECK(due.silent.size() == 1);
  CHECK(flight.questions.empty());
}

SCENARIO("how long a silence may last follows what the resolver takes, within bounds") {
  Flight flight;
  const auto patience = [&] {
    const auto began = flight.now;
    const auto sent = flight.questions.add(1, query_of({"lernen.test"}), 0, began);
    REQUIRE(sent);
    const auto packet = response(sent->packet, {});
    while (flight.questions.due(1, flight.now).again.empty()) flight.now += milliseconds(5);
    const auto took = flight.now - began;
    REQUIRE(flight.questions.take(0, packet, began));
    return took;
  };
  CHECK(patience() == longest);
  for (int i = 0; i < 50; ++i) flight.measure(milliseconds(1));
  CHECK(patience() == limits::upstream_retry_least);
  for (int i = 0; i < 50; ++i) flight.measure(milliseconds(300));
  CHECK(patience() >= milliseconds(300));
  CHECK(patience() < milliseconds(600));
  for (int i = 0; i < 50; ++i) flight.measure(milliseconds(3500));
  CHECK(patience() == longest);
}
