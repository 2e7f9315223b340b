// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// The whole gate over real sockets: schultord, the resolver and the tablets are played by the test.
#include "daemon/dns/fd_store.hpp"
#include "daemon/dns/pin_memory.hpp"
#include "tests/catch.hpp"
#include "tests/unit/dns_town.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;

namespace {

/// A tablet's TCP connection to the gate.
struct Session {
  base::UniqueFd fd{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  Bytes received;
  bool closed = false;

  explicit Session(std::uint32_t mark) {
    const int value = static_cast<int>(mark);
    REQUIRE(setsockopt(fd.get(), SOL_SOCKET, SO_MARK, &value, sizeof value) == 0);
    sockaddr_in gate{};
    gate.sin_family = AF_INET;
    gate.sin_port = htons(5300);
    gate.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd.get(), reinterpret_cast<const sockaddr*>(&gate), sizeof gate) == 0);
  }
  void send(const Bytes& octets) {
    REQUIRE(::send(fd.get(), octets.data(), octets.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(octets.size()));
  }
  static Bytes framed(const Bytes& packet) {
    Bytes octets{static_cast<std::uint8_t>(packet.size() >> 8U), static_cast<std::uint8_t>(packet.size() & 0xffU)};
    octets.insert(octets.end(), packet.begin(), packet.end());
    return octets;
  }
  std::optional<Told> answer() {
    std::array<std::uint8_t, 4096> buffer;
    const auto size = recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size == 0) closed = true;
    if (size > 0) received.insert(received.end(), buffer.data(), buffer.data() + size);
    if (received.size() < 2) return std::nullopt;
    const std::size_t length = static_cast<std::size_t>(received[0]) << 8U | received[1];
    if (received.size() < 2 + length) return std::nullopt;
    const auto one = told(ByteView(received).subspan(2, length));
    received.erase(received.begin(), received.begin() + static_cast<std::ptrdiff_t>(2 + length));
    return one;
  }
};

}  // namespace

SCENARIO("over UDP an answer leaves only after schultord has acknowledged its pins") {
  enter_own_network();
  Town town;
  for (const auto* gate : {"127.0.0.1", "127.0.0.9", "::1"}) {
    INFO(gate);
    Tablet tablet(gate, school);
    const auto host = fmt::format("h{}.lernen.test", gate[0] == ':' ? 6 : gate[8] - '0');
    const auto addresses = fmt::format("198.51.100.{}", gate[0] == ':' ? 6 : gate[8] - '0');
    tablet.ask({host});
    town.resolve(town.next_question(), {address_record(host, addresses)});
    const auto request = town.next_request();
    town.until_idle();
    CHECK_FALSE(tablet.answer());
    REQUIRE(request.entries.size() == 1);
    CHECK(base::to_string(request.entries[0].address) == addresses);
    town.reply(request, PinStatus::pinned);
    CHECK(town.wait_for(tablet).addresses() == std::vector<std::string>{addresses});
  }
}

SCENARIO("answers of the resolver that come together share one request") {
  enter_own_network();
  Town town;
  std::vector<Tablet> tablets;
  std::vector<UpstreamQuestion> asked;
  for (int i = 0; i < 30; ++i) {
    tablets.emplace_back("127.0.0.1", school);
    tablets.back().ask({fmt::format("h{}.lernen.test", i)});
    asked.push_back(town.next_question());
  }
  // Each turn's came from a port of its own, and so they wait on several of the gate's sockets.
  std::vector<in_port_t> ports;
  for (const auto& question : asked) ports.push_back(question.from.sin6_port);
  std::sort(ports.begin(), ports.end());
  CHECK(std::unique(ports.begin(), ports.end()) - ports.begin() > 4);
  for (std::size_t i = 0; i < asked.size(); ++i)
    town.resolve(asked[i], {address_record(asked[i].query.name.lower_text(), fmt::format("198.51.100.{}", i))});
  const auto request = town.next_request();
  CHECK(request.entries.size() == tablets.size());
  town.reply(request, PinStatus::pinned);
  for (auto& tablet : tablets) CHECK(town.wait_for(tablet).addresses().size() == 1);
  CHECK_FALSE(town.next_message());
}

SCENARIO("a socket that a tablet keeps is answered by the view of each packet") {
  enter_own_network();
  Town town;
  Tablet tablet("127.0.0.1", leisure);
  tablet.ask({"spiele.test", rr::a, 1});
  town.resolve(town.next_question(), {address_record("spiele.test", "198.51.100.30")});
  CHECK(town.wait_for(tablet).addresses().size() == 1);
  tablet.set_mark(school);
  tablet.ask({"spiele.test", rr::a, 2, true});
  const auto refused = town.wait_for(tablet);
  CHECK(refused.rcode == 3);
  CHECK(refused.ede == 17);
  tablet.set_mark(0);
  tablet.ask({"spiele.test", rr::a, 3});
  town.until_idle();
  CHECK_FALSE(tablet.answer());
  CHECK(town.questions().empty());
}

SCENARIO("what the resolver did not say in answer to the question is ignored") {
  enter_own_network();
  Town town;
  Tablet tablet("127.0.0.1", leisure);
  tablet.ask({"spiele.test"});
  const auto asked = town.next_question();
  auto wrong_id = response(asked.packet, {{address_record("spiele.test", "198.51.100.66")}, {}, {}});
  wrong_id[0] ^= 0xff;
  town.send_upstream(asked, wrong_id);
  auto other = asked.packet;
  other[13] = 'x';
  town.send_upstream(asked, response(other, {{address_record("xpiele.test", "198.51.100.66")}, {}, {}}));
  town.send_upstream(asked, Bytes(5));
  town.until_idle();
  CHECK_FALSE(tablet.answer());
  town.resolve(asked, {address_record("spiele.test", "198.51.100.30")});
  CHECK(town.wait_for(tablet).addresses() == std::vector<std::string>{"198.51.100.30"});
}

SCENARIO("a refusal does not outlive the switch that schultord told of") {
  enter_own_network();
  Town town;
  Tablet tablet("127.0.0.1", school);
  const auto refused_for = [&](std::uint16_t id) {
    tablet.ask({"spiele.test", rr::a, id});
    const auto answer = town.wait_for(tablet);
    CHECK(answer.rcode == 3);
    REQUIRE(answer.authority.size() == 1);
    return answer.authority[0].ttl;
  };
  CHECK(refused_for(1) == 5);
  town.tell(Switches{{{school, std::chrono::steady_clock::now() + std::chrono::seconds(2)}}, Switches::Instant::max()});
  town.until_idle();
  CHECK(refused_for(2) <= 1);
  town.tell(Switches{});
  town.until_idle();
  CHECK(refused_for(3) == 5);
}

SCENARIO("a stale request is judged anew once the rules have come") {
  enter_own_network();
  Town town;
  Tablet tablet("127.0.0.1", school);
  tablet.ask({"lernen.test"});
  town.resolve(town.next_question(), {address_record("lernen.test", "198.51.100.20")});
  town.reply(town.next_request(), PinStatus::stale);
  town.until_idle();
  CHECK_FALSE(tablet.answer());
  auto taken_away = rules();
  taken_away.profiles[0].allow = patterns({"tief.unter.test"});
  town.announce(taken_away, {2, 2}, false);
  CHECK(town.wait_for(tablet).rcode == 3);
  CHECK_FALSE(town.next_message());
}

SCENARIO("several questions on one TCP connection are answered, in the view of the connection") {
  enter_own_network();
  Town town;
  Session session(school);
  Bytes octets;
  for (std::uint16_t id = 1; id <= 3; ++id) {
    const auto one = Session::framed(question({id == 2 ? "spiele.test" : "lernen.test", rr::a, id}));
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
    return garbage.closed;
  });
  Session eager(leisure);
  Bytes octets;
  for (std::uint16_t id = 0; id < 100; ++id) {
    const auto one = Session::framed(question({"spiele.test", rr::a, id}));
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

SCENARIO("while schultord is away living pins are answered from, and a new one takes over without a lost question") {
  enter_own_network();
  Town town;
  Tablet tablet("127.0.0.1", school);
  tablet.ask({"lernen.test", rr::a, 1});
  town.resolve(town.next_question(), {address_record("lernen.test", "198.51.100.20")});
  town.reply(town.next_request(), PinStatus::pinned);
  CHECK(town.wait_for(tablet).addresses().size() == 1);

  town.stop_listening();
  town.hang_up();
  town.until_idle();
  // What was given is given again; another name of the same address is asked for, and found open.
  tablet.ask({"lernen.test", rr::a, 2});
  CHECK(town.wait_for(tablet).addresses().size() == 1);
  tablet.ask({"auch.lernen.test", rr::a, 2});
  town.resolve(town.next_question(), {address_record("auch.lernen.test", "198.51.100.20")});
  CHECK(town.wait_for(tablet).addresses().size() == 1);
  tablet.ask({"www.lernen.test", rr::a, 3});
  town.resolve(town.next_question(), {address_record("www.lernen.test", "198.51.100.21")});
  CHECK(town.wait_for(tablet).rcode == 2);
  tablet.ask({"spiele.test", rr::a, 4});
  CHECK(town.wait_for(tablet).rcode == 3);

  // The new one brings sockets of its own; what waits at the old ones is answered too.
  town.open_sockets();
  town.listen();
  town.accept_gate();
  std::vector<Tablet> others;
  for (int i = 0; i < 20; ++i) {
    others.emplace_back("127.0.0.1", school);
    others.back().ask({"spiele.test"});
  }
  town.announce(rules(), {7, 7}, true);
  for (auto& other : others) CHECK(town.wait_for(other).rcode == 3);
  tablet.ask({"lernen.test", rr::a, 5});
  town.resolve(town.next_question(), {address_record("lernen.test", "198.51.100.20")});
  const auto request = town.next_request();
  CHECK(request.rules_epoch == 7);
  town.reply(request, PinStatus::pinned);
  CHECK(town.wait_for(tablet).addresses().size() == 1);
}

SCENARIO("rules that are not sealed are not taken") {
  enter_own_network();
  Town town(false);
  town.listen();
  town.start_gate();
  town.accept_gate();
  town.announce(rules(), {1, 1}, true, false);
  town.until([&] { return !town.next_message() && town.gate_hung_up(); });
  town.accept_gate();
  town.announce(rules(), {1, 1}, true);
  Tablet tablet("127.0.0.1", school);
  tablet.ask({"spiele.test"});
  CHECK(town.wait_for(tablet).rcode == 3);
}

SCENARIO("a restarted gate goes on with what the service manager kept, although schultord is away") {
  enter_own_network();
  Town town(false);
  std::map<std::string, base::UniqueFd> stored;
  stored.emplace(fd_store::udp, dup(town.udp.get()));
  stored.emplace(fd_store::tcp, dup(town.tcp.get()));
  stored.emplace(fd_store::rules, sealed_rules(rules()));
  Tablet tablet("127.0.0.1", school);
  tablet.ask({"spiele.test"});
  town.start_gate(std::move(stored));
  CHECK(town.wait_for(tablet).rcode == 3);
  tablet.set_mark(leisure);
  tablet.ask({"spiele.test"});
  town.resolve(town.next_question(), {address_record("spiele.test", "198.51.100.30")});
  CHECK(town.wait_for(tablet).addresses().size() == 1);
}

SCENARIO("a restarted gate answers from pins that live, although schultord is away, and forgets them when they were lost") {
  enter_own_network();
  Town town(false);
  auto memory = PinMemory::create();
  REQUIRE(memory);
  const auto stored = [&] {
    std::map<std::string, base::UniqueFd> kept;
    kept.emplace(fd_store::udp, dup(town.udp.get()));
    kept.emplace(fd_store::tcp, dup(town.tcp.get()));
    kept.emplace(fd_store::rules, sealed_rules(rules()));
    kept.emplace(fd_store::pins, dup(memory->fd()));
    return kept;
  };
  Tablet tablet("127.0.0.1", school);
  const auto ask = [&](std::uint16_t id) {
    tablet.ask({"lernen.test", rr::a, id});
    town.resolve(town.next_question(), {address_record("lernen.test", "198.51.100.20")});
  };
  town.listen();
  town.start_gate(stored());
  town.accept_gate();
  town.announce(rules(), {1, 5}, true);
  ask(1);
  town.reply(town.next_request(), PinStatus::pinned);
  CHECK(town.wait_for(tablet).addresses().size() == 1);

  town.stop_gate();
  town.stop_listening();
  town.hang_up();
  town.start_gate(stored());
  ask(2);
  const auto alone = town.wait_for(tablet);
  CHECK(alone.addresses() == std::vector<std::string>{"198.51.100.20"});
  REQUIRE(alone.answers.size() == 1);
  CHECK(alone.answers[0].ttl <= 360);

  // The same schultord again: what is pinned is pinned. Another one may have lost it.
  town.listen();
  town.accept_gate();
  town.announce(rules(), {1, 5}, true);
  town.until_idle();
  ask(3);
  CHECK(town.wait_for(tablet).addresses().size() == 1);
  town.announce(rules(), {1, 6}, false);
  town.until_idle();
  ask(4);
  town.reply(town.next_request(), PinStatus::pinned);
  CHECK(town.wait_for(tablet).addresses().size() == 1);
}

SCENARIO("memory of pins that is not the gate's own is not taken over") {
  base::UniqueFd loose(memfd_create("pins", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  CHECK_FALSE(PinMemory::adopt(base::UniqueFd(dup(loose.get()))));
  REQUIRE(ftruncate(loose.get(), 4096) == 0);
  REQUIRE(fcntl(loose.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
  CHECK_FALSE(PinMemory::adopt(base::UniqueFd(dup(loose.get()))));
  // Of the right size, but not for ever.
  auto own = PinMemory::create();
  REQUIRE(own);
  const auto size = lseek(own->fd(), 0, SEEK_END);
  base::UniqueFd unsealed(memfd_create("pins", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(ftruncate(unsealed.get(), size) == 0);
  CHECK_FALSE(PinMemory::adopt(base::UniqueFd(dup(unsealed.get()))));
  REQUIRE(fcntl(unsealed.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
  CHECK(PinMemory::adopt(base::UniqueFd(dup(unsealed.get()))));
  CHECK_FALSE(PinMemory::adopt(base::UniqueFd(open("/dev/null", O_RDWR | O_CLOEXEC))));
}

SCENARIO("a resolver that turns hostile costs no other question its answer") {
  enter_own_network();
  Town town;
  std::vector<Tablet> tablets;
  for (int i = 0; i < 6; ++i) {
    tablets.emplace_back("127.0.0.1", leisure);
    tablets.back().ask({fmt::format("n{}.spiele.test", i), rr::a, static_cast<std::uint16_t>(i), true});
  }
  std::map<std::string, UpstreamQuestion> asked;
  town.until([&] {
    for (auto& question : town.questions()) asked.emplace(question.query.name.lower_text(), question);
    return asked.size() == tablets.size();
  });
  const auto at = [&](int i) -> const UpstreamQuestion& { return asked.at(fmt::format("n{}.spiele.test", i)); };
  const auto name_at = [](int i) { return fmt::format("n{}.spiele.test", i); };
  // A record whose name points at itself.
  auto looping = response(at(0).packet, {{}, {}, {}});
  looping[7] = 1;
  const auto self = static_cast<std::uint8_t>(looping.size());
  for (const std::uint8_t octet : {std::uint8_t{0xc0}, self, std::uint8_t{0}, std::uint8_t{1}}) looping.push_back(octet);
  town.send_upstream(at(0), looping);
  // More records than are taken.
  Sections many;
  for (int i = 0; i < 2000; ++i) many.answers.push_back(address_record(name_at(1), fmt::format("198.51.{}.{}", i / 250, i % 250)));
  town.send_upstream(at(1), response(at(1).packet, many));
  // Rubbish of the longest size, under the right id and question.
  auto rubbish = response(at(2).packet, {});
  rubbish[7] = 0xff;
  rubbish.resize(60'000, 0xc0);
  town.send_upstream(at(2), rubbish);
  // The right answer, to another socket of the gate's than the question came from.
  Tablet another("127.0.0.1", leisure);
  auto elsewhere = at(3);
  for (int i = 0; elsewhere.from.sin6_port == at(3).from.sin6_port; ++i) {
    another.ask({fmt::format("m{}.spiele.test", i)});
    elsewhere.from = town.next_question().from;
  }
  town.send_upstream(elsewhere, response(at(3).packet, {{address_record(name_at(3), "198.51.100.66")}, {}, {}}));
  town.until_idle();
  for (int i = 0; i < 3; ++i) {
    const auto failed = town.wait_for(tablets[static_cast<std::size_t>(i)]);
    CHECK(failed.rcode == 2);
    CHECK(failed.ede == 23);
  }
  for (int i = 3; i < 6; ++i) {
    auto& tablet = tablets[static_cast<std::size_t>(i)];
    CHECK_FALSE(tablet.answer());
    town.resolve(at(i), {address_record(name_at(i), "198.51.100.30")});
    CHECK(town.wait_for(tablet).addresses() == std::vector<std::string>{"198.51.100.30"});
  }
}

SCENARIO("an answer that the resolver cuts short is asked for over TCP, and one that drips in holds nobody up") {
  enter_own_network();
  Town town;
  base::UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_port = htons(town.resolver_port());
  local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(listener.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) == 0);
  REQUIRE(listen(listener.get(), 8) == 0);
  const auto next_stream = [&](Tablet& tablet, std::string_view name) {
    tablet.ask({name, rr::txt, 1, true});
    const auto asked = town.next_question();
    auto cut = response(asked.packet, {});
    cut[2] |= 0x02;
    town.send_upstream(asked, cut);
    base::UniqueFd stream;
    town.until([&] {
      stream.reset(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      return static_cast<bool>(stream);
    });
    Bytes octets(2 + asked.packet.size());
    town.until([&] { return recv(stream.get(), octets.data(), octets.size(), MSG_PEEK) == static_cast<ssize_t>(octets.size()); });
    CHECK(Bytes(octets.begin() + 2, octets.end()) == asked.packet);
    return std::pair(std::move(stream), asked.packet);
  };
  const auto whole_answer = [](const Bytes& question, std::string_view owner) {
    return Session::framed(response(question, {{{name(owner), rr::txt, 60, {2, 'h', 'i'}}}, {}, {}}));
  };
  Tablet slow("127.0.0.1", leisure);
  Tablet quick("127.0.0.1", leisure);
  const auto [dripping, slow_question] = next_stream(slow, "langsam.test");
  REQUIRE(send(dripping.get(), whole_answer(slow_question, "langsam.test").data(), 5, MSG_NOSIGNAL) == 5);
  const auto [stream, question] = next_stream(quick, "lang.test");
  const auto octets = whole_answer(question, "lang.test");
  // In pieces, cut within the length as well.
  REQUIRE(send(stream.get(), octets.data(), 1, MSG_NOSIGNAL) == 1);
  town.until_idle();
  REQUIRE(send(stream.get(), octets.data() + 1, octets.size() - 1, MSG_NOSIGNAL) == static_cast<ssize_t>(octets.size() - 1));
  const auto answer = town.wait_for(quick);
  CHECK(answer.rcode == 0);
  CHECK(answer.answers.size() == 1);
  // The drip is given up on like silence.
  const auto failed = town.wait_for(slow);
  CHECK(failed.rcode == 2);
  CHECK(failed.ede == 22);
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
    open += session->closed ? 0 : 1;
  }
  CHECK(open == limits::tcp_connections_of_one);
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
