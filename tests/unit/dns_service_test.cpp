// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// The whole gate over real sockets: schultord, the resolver and the tablets are played by the test.
#include "daemon/base/sealed_memory.hpp"
#include "daemon/dns/fd_store.hpp"
#include "daemon/dns/pin_memory.hpp"
#include "daemon/lists/build.hpp"
#include "daemon/lists/table.hpp"
#include "tests/catch.hpp"
#include "tests/unit/dns_town.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;

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
    const auto name = fmt::format("h{}.lernen.test", i);
    tablets.back().ask({name});
    asked.push_back(town.next_question(name));
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

namespace {

/// Lists as a file, and rules that close them in leisure.
struct Listed {
  base::UniqueFd table;
  policy::GateRules rules = test::rules();

  explicit Listed(const std::vector<std::string>& names) {
    lists::Collection collection;
    const auto list = collection.add_list("games").value();
    for (const auto& one : names) collection.add_name(list, one, lists::Scope::both);
    const auto image = lists::build(collection).value();
    table = base::sealed_copy("table", image).value();
    rules.profiles[1].block_lists = policy::Categories({{"games", {}, list}});
    rules.table = lists::Table::over(image).value().identity();
  }
};

}  // namespace

SCENARIO("rules and the table of lists that they are of come and go together") {
  enter_own_network();
  Town town;
  Tablet tablet("127.0.0.1", leisure);
  const auto refuses = [&](const char* asked) {
    tablet.ask({asked});
    std::optional<Told> answer;
    town.until([&] {
      for (const auto& question : town.questions()) town.resolve(question, {address_record(asked, "198.51.100.30")});
      return (answer = tablet.answer()).has_value();
    });
    return answer->rcode == 3;
  };
  const Listed first({"spiele.test"}), second({"andere.test"});
  CHECK_FALSE(refuses("www.spiele.test"));
  town.announce(first.rules, {2, 1, true}, false, true, first.table.get());
  town.until_idle();
  CHECK(refuses("www.spiele.test"));
  CHECK_FALSE(refuses("andere.test"));
  // What was answered before is judged anew.
  town.announce(second.rules, {3, 1, true}, false, true, second.table.get());
  town.until_idle();
  CHECK_FALSE(refuses("www.spiele.test"));
  CHECK(refuses("andere.test"));
  town.announce(rules(), {4, 1}, false);
  town.until_idle();
  CHECK_FALSE(refuses("andere.test"));

  WHEN("the table is another one than the rules name") {
    town.announce(first.rules, {5, 1, true}, false, true, second.table.get());
    town.until([&] { return town.next_message(), town.gate_hung_up(); });
  }
  WHEN("there is none although the rules name one") {
    town.announce(first.rules, {5, 1}, false);
    town.until([&] { return town.next_message(), town.gate_hung_up(); });
  }
  WHEN("there is one that the rules do not name") {
    town.announce(rules(), {5, 1, true}, false, true, first.table.get());
    town.until([&] { return town.next_message(), town.gate_hung_up(); });
  }
  WHEN("it may still be changed") {
    const base::UniqueFd loose(memfd_create("table", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    off_t begin = 0;
    REQUIRE(sendfile(loose.get(), first.table.get(), &begin, 1 << 20U) > 0);
    town.announce(first.rules, {5, 1, true}, false, true, loose.get());
    town.until([&] { return town.next_message(), town.gate_hung_up(); });
  }
  WHEN("it is no table") {
    const base::UniqueFd none(open("/dev/null", O_RDONLY | O_CLOEXEC));
    town.announce(first.rules, {5, 1, true}, false, true, none.get());
    town.until([&] { return town.next_message(), town.gate_hung_up(); });
  }
  // What was in force is in force.
  CHECK_FALSE(refuses("andere.test"));
}

SCENARIO("a restarted gate has the table of lists again, although schultord is away") {
  enter_own_network();
  Town town(false);
  Tablet tablet("127.0.0.1", leisure);
  const Listed listed({"spiele.test"});
  const auto stored = [&](const char* without) {
    std::map<std::string, base::UniqueFd> kept;
    kept.emplace(fd_store::udp, dup(town.udp.get()));
    kept.emplace(fd_store::tcp, dup(town.tcp.get()));
    kept.emplace(fd_store::rules, sealed_rules(listed.rules));
    kept.emplace(fd_store::table, dup(listed.table.get()));
    kept.erase(without);
    return kept;
  };
  tablet.ask({"www.spiele.test"});
  town.start_gate(stored(""));
  CHECK(town.wait_for(tablet).rcode == 3);
  town.stop_gate();
  // Rules without the table that they are of would open what lists close: it waits for schultord.
  tablet.ask({"www.spiele.test"});
  town.start_gate(stored(fd_store::table));
  town.until_idle();
  CHECK_FALSE(tablet.answer());
  CHECK(town.questions().empty());
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

SCENARIO("what was counted is told when schultord asks") {
  enter_own_network();
  Town town;
  town.until([&] {
    town.next_message();
    town.questions();
    return town.health == std::vector<bool>{true};
  });
  std::uint32_t sequence = 0;
  const auto counted = [&] {
    town.tell(StatisticsRequest{++sequence});
    std::pair<std::map<std::uint32_t, ViewCounts>, Statistics> told;
    std::optional<Message> message;
    const auto next = [&] {
      message.reset();
      town.until([&] { return (message = town.next_message()).has_value(); });
    };
    for (next(); std::holds_alternative<ViewStatistics>(*message); next()) {
      CHECK(std::get<ViewStatistics>(*message).sequence == sequence);
      for (const auto& one : std::get<ViewStatistics>(*message).views) told.first[one.view] = one.counts;
    }
    REQUIRE(std::holds_alternative<GateStatistics>(*message));
    CHECK(std::get<GateStatistics>(*message).sequence == sequence);
    told.second = std::get<GateStatistics>(*message).statistics;
    return told;
  };
  const auto before = counted();
  CHECK(before.first.empty());
  CHECK(before.second.since <= std::chrono::steady_clock::now());
  Tablet tablet("127.0.0.1", leisure);
  tablet.ask({"spiele.test"});
  town.resolve(town.next_question(), {address_record("spiele.test", "198.51.100.30")});
  town.wait_for(tablet);
  tablet.ask({"spiele.test"});
  town.wait_for(tablet);
  tablet.ask({"doh.test"});
  town.wait_for(tablet);
  tablet.ask({"andere.test"});
  const auto open = town.next_question();
  // More views than one message has room for.
  for (std::uint32_t i = 0; i < most_views_told; ++i) Tablet("127.0.0.1", 100 + i).send(Bytes(12, 0x80));
  town.until_idle();
  const auto after = counted();
  REQUIRE(after.first.contains(leisure));
  const auto& view = after.first.at(leisure);
  CHECK(view.by_verdict[static_cast<std::size_t>(Verdict::allowed)] == 2);
  CHECK(view.by_verdict[static_cast<std::size_t>(Verdict::refused)] == 1);
  CHECK(view.questions() == 3);
  CHECK(view.cached == 1);
  CHECK(after.first.size() == 1 + most_views_told);
  CHECK(after.second.since == before.second.since);
  CHECK(after.second.waiting == 1);
  CHECK(after.second.resolver.questions == before.second.resolver.questions + 2);
  CHECK(after.second.resolver.answers == before.second.resolver.answers + 1);
  CHECK(after.second.resolver.under_way == 1);
  CHECK(after.second.round_trip.count() == before.second.round_trip.count() + 1);
  CHECK(after.second.answered[static_cast<std::size_t>(Waited::nothing)].count() == 2);
  CHECK(after.second.answered[static_cast<std::size_t>(Waited::resolver)].count() == 1);
  town.resolve(open, {address_record("andere.test", "198.51.100.31")});
  town.wait_for(tablet);
  CHECK(counted().second.resolver.under_way == 0);
}
