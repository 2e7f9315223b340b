// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// One tablet that floods, and a class that goes on, over real sockets.
#include "daemon/dns/limits.hpp"
#include "tests/catch.hpp"
#include "tests/unit/dns_town.hpp"

#include <algorithm>
#include <chrono>

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;

namespace {

/// Thirty tablets that ask one name after another, each when it has the last answer.
class Class {
public:
  explicit Class(std::uint32_t view) {
    for (int i = 0; i < 30; ++i) tablets_.emplace_back("127.0.0.1", view, fmt::format("127.0.1.{}", i + 1));
  }
  /// Each asks for its next name. What was asked before has been answered.
  void ask(std::string_view below) {
    ++round_;
    for (std::size_t i = 0; i < tablets_.size(); ++i) tablets_[i].ask({fmt::format("k{}x{}.{}", i, round_, below), rr::a, round_});
  }
  /// How many have their answers, and read them.
  std::size_t answered() {
    std::size_t count = 0;
    for (auto& tablet : tablets_)
      if (const auto answer = tablet.answer()) {
        CHECK(answer->id == round_);
        CHECK(answer->addresses().size() == 1);
        ++count;
      }
    return count;
  }
  [[nodiscard]] std::size_t size() const { return tablets_.size(); }

private:
  std::vector<Tablet> tablets_;
  std::uint16_t round_ = 0;
};

/// Of whole seconds, each with its share, that an instant since `start` may lie in.
std::size_t share_since(Time start) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start).count();
  return static_cast<std::size_t>(seconds + 2) * limits::questions_a_second;
}

bool is_of_flood(const UpstreamQuestion& asked) { return asked.query.name.lower_text().starts_with("flut"); }

}  // namespace

SCENARIO("a flood over UDP costs no other tablet an answer, whether the resolver answers its questions or not") {
  enter_own_network();
  for (const bool floods_answered : {true, false}) {
    INFO("the flood's questions are answered: " << floods_answered);
    Town town;
    Class others(leisure);
    Tablet flooder("127.0.0.1", leisure, "127.0.0.66");
    const auto start = std::chrono::steady_clock::now();
    std::size_t flood_asked = 0;
    for (int round = 0; round < 100; ++round) {
      // Before and behind the others' questions: they wait in line with it.
      for (int i = 0; i < 100; ++i) flooder.ask({fmt::format("flut{}x{}.test", round, i)});
      others.ask("spiele.test");
      for (int i = 0; i < 100; ++i) flooder.ask({fmt::format("flut{}y{}.test", round, i)});
      std::size_t answered = 0;
      town.until([&] {
        for (const auto& asked : town.questions()) {
          const bool flood = is_of_flood(asked);
          flood_asked += flood ? 1 : 0;
          if (floods_answered || !flood) town.resolve(asked, {address_record(asked.query.name.lower_text(), "198.51.100.30")});
        }
        while (flooder.answer()) {
        }
        return (answered += others.answered()) == others.size();
      });
    }
    const auto share = share_since(start) * (floods_answered ? 1 : limits::upstream_attempts);
    CHECK(flood_asked >= limits::jobs_of_one);
    CHECK(flood_asked <= share);
  }
}

SCENARIO("a flood over TCP, by all the connections that one may have, costs no other tablet an answer") {
  enter_own_network();
  Town town;
  Class others(leisure);
  std::vector<std::unique_ptr<Session>> flood;
  for (std::size_t i = 0; i < limits::tcp_connections_of_one; ++i) {
    flood.push_back(std::make_unique<Session>(leisure, "127.0.0.66"));
    town.until_idle();
  }
  Bytes octets;
  for (std::uint16_t i = 0; i < 1000; ++i) {
    const auto one = framed(question({"casino.test", rr::a, i}));
    octets.insert(octets.end(), one.begin(), one.end());
  }
  for (auto& session : flood) session->send(octets);
  const auto start = std::chrono::steady_clock::now();
  std::size_t flood_answered = 0;
  for (int round = 0; round < 50; ++round) {
    others.ask("spiele.test");
    std::size_t answered = 0;
    town.until([&] {
      for (const auto& asked : town.questions())
        town.resolve(asked, {address_record(asked.query.name.lower_text(), "198.51.100.30")});
      for (auto& session : flood)
        while (session->answer()) ++flood_answered;
      return (answered += others.answered()) == others.size();
    });
  }
  CHECK(flood_answered > 0);
  CHECK(flood_answered <= share_since(start));
}
