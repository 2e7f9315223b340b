// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// The gate and a resolver that loses, cuts short or leaves out what it is asked, over real sockets.
#include "daemon/dns/limits.hpp"
#include "tests/catch.hpp"
#include "tests/unit/dns_town.hpp"

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;

namespace {

Bytes text_answer(const Bytes& question, std::string_view owner) {
  return framed(response(question, {{{name(owner), rr::txt, 60, {2, 'h', 'i'}}}, {}, {}}));
}

/// Octet for octet, but that over UDP it is filled.
bool is_same_question(const Bytes& over_tcp, const Bytes& over_udp) {
  auto filled = over_tcp;
  filled.resize(over_tcp.size() + 2 * limits::question_block);
  filled.resize(fill_question(filled, over_tcp.size(), limits::question_block));
  return filled == over_udp;
}

}  // namespace

SCENARIO("a question or an answer that gets lost is made up for by the next attempt") {
  enter_own_network();
  Town town;
  Tablet tablet("127.0.0.1", leisure);
  tablet.ask({"spiele.test"});
  const auto lost = town.next_question();
  const auto again = town.next_question();
  CHECK(again.from.sin6_port != lost.from.sin6_port);
  // The late answer to the first is as good as one to the second; a further one finds nothing that waits for it.
  town.resolve(lost, {address_record("spiele.test", "198.51.100.30")});
  CHECK(town.wait_for(tablet).addresses() == std::vector<std::string>{"198.51.100.30"});
  town.resolve(again, {address_record("spiele.test", "198.51.100.31")});
  town.resolve(lost, {address_record("spiele.test", "198.51.100.32")});
  town.until_idle();
  CHECK_FALSE(tablet.answer());
}

SCENARIO("a resolver that answers no datagram is asked over TCP, and that answer is taken") {
  enter_own_network();
  Town town;
  town.take_streams();
  Tablet tablet("127.0.0.1", leisure);
  tablet.ask({"spiele.test", rr::txt});
  const auto stream = town.next_stream();
  const auto asked = town.questions();
  CHECK(asked.size() == limits::upstream_attempts);
  CHECK(is_same_question(stream.packet, asked.back().packet));
  SECTION("over TCP it is answered") {
    stream.send(text_answer(stream.packet, "spiele.test"));
    CHECK(town.wait_for(tablet).answers.size() == 1);
    // What comes over UDP now is too late.
    town.resolve(asked.front(), {});
  }
  SECTION("over TCP it is hung up on: a datagram may still come") {
    shutdown(stream.fd.get(), SHUT_RDWR);
    town.until_idle();
    CHECK_FALSE(tablet.answer());
    town.resolve(asked.back(), {{name("spiele.test"), rr::txt, 60, {2, 'h', 'i'}}});
    CHECK(town.wait_for(tablet).answers.size() == 1);
  }
  town.until_idle();
  CHECK_FALSE(tablet.answer());
}

SCENARIO("an answer that the resolver cuts short is asked for over TCP, and one that drips in holds nobody up") {
  enter_own_network();
  Town town;
  town.take_streams();
  const auto next_stream = [&](Tablet& tablet, std::string_view name) {
    tablet.ask({name, rr::txt, 1, true});
    const auto asked = town.next_question();
    auto stream = town.cut_short(asked);
    CHECK(is_same_question(stream.packet, asked.packet));
    return stream;
  };
  Tablet slow("127.0.0.1", leisure);
  Tablet quick("127.0.0.1", leisure);
  const auto dripping = next_stream(slow, "langsam.test");
  const auto first = text_answer(dripping.packet, "langsam.test");
  dripping.send(ByteView(first).first(5));
  const auto stream = next_stream(quick, "lang.test");
  const auto octets = text_answer(stream.packet, "lang.test");
  // In pieces, cut within the length as well.
  stream.send(ByteView(octets).first(1));
  town.until_idle();
  stream.send(ByteView(octets).subspan(1));
  const auto answer = town.wait_for(quick);
  CHECK(answer.rcode == 0);
  CHECK(answer.answers.size() == 1);
  // The drip is given up on like silence.
  std::size_t sent = 5;
  std::optional<Told> failed;
  town.until([&] {
    if (sent + 1 < first.size() && send(dripping.fd.get(), &first[sent], 1, MSG_NOSIGNAL) == 1) ++sent;
    return (failed = slow.answer()).has_value();
  });
  CHECK(failed->rcode == 2);
  CHECK(failed->ede == 22);
}

SCENARIO("a resolver that is silent is told of, and one that answers again as well") {
  enter_own_network();
  Town town;
  town.until([&] {
    town.next_message();
    town.questions();
    return town.health == std::vector<bool>{true};
  });
  town.mute = true;
  Tablet tablet("127.0.0.1", leisure);
  tablet.ask({"spiele.test", rr::a, 1, true});
  const auto answer = town.wait_for(tablet);
  CHECK(answer.rcode == 2);
  CHECK(answer.ede == 22);
  town.until([&] {
    town.next_message();
    return town.health == std::vector<bool>{true, false};
  });
  // It was asked several times, each time by another socket and another id than the last.
  const auto asked = town.questions();
  REQUIRE(asked.size() == limits::upstream_attempts);
  for (std::size_t i = 1; i < asked.size(); ++i) {
    CHECK(asked[i].query.id != asked[i - 1].query.id);
    CHECK(asked[i].from.sin6_port != asked[i - 1].from.sin6_port);
  }
  town.mute = false;
  town.until([&] {
    town.questions();
    town.next_message();
    return town.health == std::vector<bool>{true, false, true};
  });
}
