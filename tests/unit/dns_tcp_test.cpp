// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// Tablets over TCP, real sockets on both sides (RFC 7766).
#include "daemon/dns/limits.hpp"
#include "tests/catch.hpp"
#include "tests/unit/dns_town.hpp"

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;

SCENARIO("several questions on one TCP connection are answered, in the view of the connection") {
  enter_own_network();
  Town town;
  Session session(school);
  Bytes octets;
  for (std::uint16_t id = 1; id <= 3; ++id) {
    const auto one = framed(question({id == 2 ? "spiele.test" : "lernen.test", rr::a, id}));
    octets.insert(octets.end(), one.begin(), one.end());
  }
  // In two pieces, cut within a length.
  session.send(Bytes(octets.begin(), octets.begin() + 1));
  town.until_idle();
  session.send(Bytes(octets.begin() + 1, octets.end()));
  std::optional<Told> refused;
  town.until([&] { return (refused = session.answer()).has_value(); });
  CHECK(refused->id == 2);
  CHECK(refused->rcode == 3);
  for (int i = 0; i < 2; ++i) town.resolve(town.next_question(), {address_record("lernen.test", "198.51.100.20")});
  town.reply(town.next_request(), PinStatus::pinned);
  for (int i = 0; i < 2; ++i) {
    std::optional<Told> answer;
    town.until([&] {
      if (auto message = town.next_message()) town.reply(std::get<PinRequest>(*message), PinStatus::pinned);
      return (answer = session.answer()).has_value();
    });
    CHECK(answer->addresses().size() == 1);
  }
}

SCENARIO("what is no DNS ends its TCP connection, and more questions than are taken wait") {
  enter_own_network();
  Town town;
  Session garbage(school);
  garbage.send({0xff, 0xff, 1, 2, 3});
  town.until([&] {
    garbage.answer();
    return garbage.closed();
  });
  Session eager(leisure);
  Bytes octets;
  for (std::uint16_t id = 0; id < 100; ++id) {
    const auto one = framed(question({"spiele.test", rr::a, id}));
    octets.insert(octets.end(), one.begin(), one.end());
  }
  eager.send(octets);
  town.until_idle();
  auto asked = town.questions();
  town.until_idle();
  CHECK(asked.size() <= limits::tcp_pipelined);
  std::size_t answered = 0;
  town.until([&] {
    for (const auto& one : asked) town.resolve(one, {address_record("spiele.test", "198.51.100.30")});
    asked = town.questions();
    while (eager.answer()) ++answered;
    return answered == 100;
  });
}

SCENARIO("one tablet that opens very many TCP connections leaves room for the others") {
  enter_own_network();
  Town town;
  std::vector<std::unique_ptr<Session>> sessions;
  for (std::size_t i = 0; i < limits::tcp_connections_of_one + 8; ++i) {
    sessions.push_back(std::make_unique<Session>(school));
    town.until_idle();
  }
  std::size_t open = 0;
  for (auto& session : sessions) {
    session->answer();
    open += session->closed() ? 0 : 1;
  }
  CHECK(open == limits::tcp_connections_of_one);
}
