// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// Tablets over TCP, real sockets on both sides (RFC 7766).
#include "daemon/dns/limits.hpp"
#include "daemon/dns/tcp_server.hpp"
#include "tests/catch.hpp"
#include "tests/unit/dns_town.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;

namespace {

bool is_closed(Session& session) {
  while (session.answer()) {
  }
  return session.closed();
}

const Bytes keepalive{0, 11, 0, 0};  // RFC 7828

}  // namespace

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
  const auto refused = town.wait_for(session);
  CHECK(refused.id == 2);
  CHECK(refused.rcode == 3);
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

SCENARIO("one tablet that opens very many TCP connections leaves room for the others: its own that are idle for longest end") {
  enter_own_network();
  Town town;
  std::vector<std::unique_ptr<Session>> sessions;
  for (std::size_t i = 0; i < limits::tcp_connections_of_one + 8; ++i) {
    sessions.push_back(std::make_unique<Session>(school));
    town.until_idle();
  }
  for (std::size_t i = 0; i < sessions.size(); ++i) CHECK(is_closed(*sessions[i]) == (i < 8));
}

SCENARIO("when there are as many TCP connections as there may be, who comes takes the place of the one that is idle for longest") {
  enter_own_network();
  Town town;
  std::vector<std::unique_ptr<Session>> sessions;
  const auto open = [&](const std::string& from) {
    sessions.push_back(std::make_unique<Session>(leisure, from));
    town.until_idle();
  };
  open("127.0.1.1");
  sessions[0]->ask({"spiele.test"});
  const auto asked = town.next_question();
  for (std::size_t i = 1; i < limits::tcp_connections; ++i) open(fmt::format("127.0.1.{}", 1 + i % 16));
  sessions[1]->ask({"casino.test"});
  CHECK(town.wait_for(*sessions[1]).rcode == 3);
  for (int i = 0; i < 3; ++i) open("127.0.2.1");
  // The first waits for its answer, the second has just had one.
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    INFO(i);
    CHECK(is_closed(*sessions[i]) == (i >= 2 && i < 5));
  }
  town.resolve(asked, {address_record("spiele.test", "198.51.100.30")});
  CHECK(town.wait_for(*sessions[0]).addresses().size() == 1);
  sessions.back()->ask({"casino.test"});
  CHECK(town.wait_for(*sessions.back()).rcode == 3);
}

SCENARIO("a tablet that sends no more still gets the answers to all that it asked, and then the end") {
  enter_own_network();
  Town town;
  Session session(leisure);
  constexpr int count = 2 * limits::tcp_pipelined;
  for (int i = 0; i < count; ++i) session.ask({fmt::format("h{}.spiele.test", i), rr::a, static_cast<std::uint16_t>(i)});
  session.shut();
  int answered = 0;
  town.until([&] {
    for (const auto& one : town.questions()) town.resolve(one, {address_record(one.query.name.lower_text(), "198.51.100.30")});
    while (const auto answer = session.answer()) answered += answer->addresses().size() == 1 ? 1 : 0;
    return session.closed();
  });
  CHECK(answered == count);
}

SCENARIO("who asks over TCP how long an idle connection is kept is told, and over UDP never") {
  enter_own_network();
  Town town;
  const Asked asking{"casino.test", rr::a, 1, true, 1232, false, false, keepalive};
  Session session(leisure);
  session.ask(asking);
  const auto answer = town.wait_for(session);
  CHECK(answer.keepalive == 10 * limits::tcp_idle.count());
  CHECK(answer.ede == 17);
  session.ask({"casino.test", rr::a, 2, true});
  CHECK(town.wait_for(session).keepalive == -1);
  // Answers over TCP are kept for questions over UDP, but not with the option.
  Tablet tablet("127.0.0.1", leisure);
  for (int i = 0; i < 2; ++i) {
    tablet.ask(asking);
    const auto told = town.wait_for(tablet);
    CHECK(told.ede == 17);
    CHECK(told.keepalive == -1);
  }
}

SCENARIO("an idle connection ends, and so do one whose question drips in and one whose answers are not read") {
  enter_own_network();
  Town town;
  Session idle(leisure);
  Session writes_slowly(leisure);
  Session reads_slowly(leisure);
  reads_slowly.ask({"casino.test"});
  const auto slow = framed(question({fmt::format("{0}.{0}.{0}.test", std::string(60, 'x'))}));
  std::size_t written = 0;
  town.until([&] {
    if (written + 1 < slow.size() && send(writes_slowly.fd(), &slow[written], 1, MSG_NOSIGNAL) == 1) ++written;
    return is_closed(idle) && is_closed(writes_slowly);
  });
  CHECK(written > 1);
  town.until([&] { return is_closed(reads_slowly); });
}

SCENARIO("of one who does not read what it asks for only so much is held, and nobody else waits for it") {
  enter_own_network();
  Town town;
  Session greedy(leisure, "127.0.0.1", 65536);
  constexpr std::size_t wanted = 4000;
  Bytes octets;
  for (std::size_t i = 0; i < wanted; ++i) {
    const auto one = framed(question({"lang.test", rr::txt, static_cast<std::uint16_t>(i)}));
    octets.insert(octets.end(), one.begin(), one.end());
  }
  greedy.send(octets);
  const Bytes text(3800, 3);
  std::size_t asked = 0;
  for (bool more = true; more;) {
    town.until_idle();
    const auto questions = town.questions();
    more = !questions.empty();
    asked += questions.size();
    for (const auto& one : questions) town.resolve(one, {{name("lang.test"), rr::txt, 60, text}});
  }
  CHECK(asked < wanted);
  Session other(leisure, "127.0.0.2");
  other.ask({"casino.test"});
  CHECK(town.wait_for(other).rcode == 3);
}

SCENARIO("all who do not read what they ask for have only so much held together: those that hold most end") {
  enter_own_network();
  auto loop = std::move(*base::EventLoop::create());
  std::unique_ptr<TcpServer> server;
  const Bytes longest(limits::tcp_answer - 100);
  server = std::make_unique<TcpServer>(loop, [&](const Client& client, std::uint32_t mark, ByteView) {
    server->answer(std::get<TcpPeer>(client), mark == school ? longest : Bytes(12), std::chrono::steady_clock::now());
  });
  auto listener = bound(SOCK_STREAM, "::", 5300);
  REQUIRE(::listen(listener.get(), 64) == 0);
  REQUIRE(server->use(std::move(listener)));
  const auto turn_until = [&](const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      REQUIRE(sd_event_run(loop.native(), 10'000) >= 0);
    }
  };
  const auto until_idle = [&] {
    while (sd_event_run(loop.native(), 0) > 0) {
    }
  };
  Session modest(leisure, "127.0.0.9");
  std::vector<std::unique_ptr<Session>> greedy;
  constexpr std::uint16_t wanted = 64;
  for (int i = 0; i < 24; ++i) {
    greedy.push_back(std::make_unique<Session>(school, fmt::format("127.0.0.{}", 10 + i % 8), 65536));
    Bytes octets;
    for (std::uint16_t id = 0; id < wanted; ++id) {
      const auto one = framed(question({"a", rr::txt, id}));
      octets.insert(octets.end(), one.begin(), one.end());
    }
    greedy.back()->send(octets);
    until_idle();
  }
  modest.ask({"a"});
  turn_until([&] { return modest.answer().has_value(); });
  // Now they read: what was held for those that remain comes, and the others find the end.
  int complete = 0, ended = 0;
  for (auto& session : greedy) {
    std::uint16_t answers = 0;
    turn_until([&] {
      while (session->answer()) ++answers;
      return answers == wanted || session->closed();
    });
    ++(answers == wanted ? complete : ended);
  }
  CHECK(complete > 0);
  CHECK(ended > 0);
}
