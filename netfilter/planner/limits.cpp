// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/planner/limits.hpp"

#include "netfilter/planner/statements.hpp"

#include <array>
#include <functional>

namespace schultor::netfilter::planner {
namespace {

using namespace model;

/// Devices of which something is remembered at a time; of more, what is counted is not bounded. Addresses can be made up: memory is
/// what is bounded then.
constexpr std::uint32_t most_devices = 65535;
/// An element goes after so long without a packet: every bucket is full again by then.
constexpr std::chrono::seconds rates_kept{10};

struct Limit {
  std::string of;  ///< what is limited, and what the sets are named by
  bool counts = false;
  std::uint32_t most = 0;
  std::uint32_t burst = 0;  ///< of rates
  Statement beyond = drop;
};

std::array<Limit, 6> limits() {
  return {Limit{"connections", true, most_connections, 0, go_to("refuse_flood")},
          Limit{"cloud_connections", true, most_connections, 0, go_to("refuse_flood")},
          Limit{"echoes", false, most_echoes, 2 * most_echoes},
          Limit{"resets", false, most_refusals, most_refusals},
          Limit{"errors", false, most_refusals, most_refusals},
          Limit{"questions", false, most_questions, most_questions}};
}

struct Key {
  Field field;
  Type type;
  const char* set;
};
constexpr Key by_device{Field::ether_saddr, Type::ether_addr, "_by_device"};
constexpr Key by_address4{Field::ip_saddr, Type::ipv4_addr, "_by_address4"};
constexpr Key by_address6{Field::ip6_saddr, Type::ipv6_addr, "_by_address6"};

Statement over(const Limit& limit, const Key& key) {
  if (limit.counts) return CountConnections{key.field, limit.of + key.set, limit.most};
  return LimitRate{key.field, limit.of + key.set, limit.most, limit.burst};
}

}  // namespace

std::vector<Chain> limit_chains() {
  std::vector<Chain> chains;
  for (const Limit& limit : limits()) {
    Chain chain{"limit_" + limit.of};
    for (const auto& [routed, key] : {std::pair("routed4", by_address4), std::pair("routed6", by_address6)}) {
      const Statement behind_a_router = InSet{{key.field}, routed};
      chain.rules.push_back({behind_a_router, over(limit, key), limit.beyond});
      chain.rules.push_back({behind_a_router, leave});
    }
    chain.rules.push_back({over(limit, by_device), limit.beyond});
    chains.push_back(std::move(chain));
  }
  chains.push_back({"refuse_flood", {}, {{Count{"refused.flood"}, go_to("refuse")}}});
  return chains;
}

std::vector<SetDeclaration> limit_sets() {
  std::vector<SetDeclaration> sets;
  for (const Limit& limit : limits())
    for (const Key& key : {by_device, by_address4, by_address6}) {
      SetDeclaration set{limit.of + key.set, {key.type}};
      set.fills_itself = most_devices;
      set.timeout = !limit.counts;
      if (set.timeout) set.lifetime = rates_kept;
      sets.push_back(std::move(set));
    }
  return sets;
}

}  // namespace schultor::netfilter::planner
