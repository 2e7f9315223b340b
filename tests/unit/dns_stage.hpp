// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/gate.hpp"
#include "tests/catch.hpp"
#include "tests/unit/dns_packets.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace schultor::dns::test {

/// A gate with a resolver, a schultord and tablets that the test plays.
struct Stage {
  Time now{std::chrono::hours(1)};
  PinSent link = PinSent::sent;
  bool resolver_full = false;
  std::uint64_t dice = 0;
  std::vector<std::pair<JobId, Query>> upstream;
  std::vector<PinRequest> requests;
  std::vector<Told> answers;
  std::vector<std::string> logged;
  Gate gate{{[this](const Client&, const Bytes& packet) { answers.push_back(told(packet)); },
             [this](JobId id, const Query& query) {
               if (!resolver_full) upstream.emplace_back(id, query);
               return !resolver_full;
             },
             [this](const PinRequest& request) {
               if (link == PinSent::sent) requests.push_back(request);
               return link;
             },
             [this] { return ++dice; }, [this](const LoggedQuestion& question) { logged.push_back(to_string(question)); }}};

  explicit Stage(const policy::GateRules& first = rules()) { announce(first, {1, 1}); }
  void announce(const policy::GateRules& held, const Announcement& epochs) {
    gate.on_rules(std::make_shared<const Rulebook>(held), epochs, now);
  }
  void ask(const Asked& asked, std::uint32_t view = school) { gate.on_question(UdpPeer{}, view, question(asked), now); }
  /// The resolver answers the oldest question that it has.
  void resolve(std::vector<Record> records) {
    REQUIRE_FALSE(upstream.empty());
    const auto [id, query] = upstream.front();
    upstream.erase(upstream.begin());
    gate.on_upstream(id, response(question({query.name.lower_text(), query.type}), {std::move(records), {}, {}}), now);
  }
  void reply(PinStatus status, std::size_t which = 0) { gate.on_pin_reply({requests.at(which).sequence, status}, now); }
  /// A name that is pinned and answered.
  void warm(std::string_view name, std::string_view address, std::uint32_t ttl = 300) {
    ask({name});
    resolve({address_record(name, address, ttl)});
    gate.end_of_turn(now);
    reply(PinStatus::pinned, requests.size() - 1);
    REQUIRE(answers.size() == 1);
    answers.clear();
    requests.clear();
  }
};

}  // namespace schultor::dns::test
