// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/planner/limits.hpp"

#include "netfilter/planner/build.hpp"
#include "netfilter/planner/statements.hpp"

#include <array>
#include <functional>

namespace schultor::netfilter::planner {
namespace {

using namespace model;

/// Devices, or addresses of them, of which something is remembered at a time; of more, what is counted is not bounded. Addresses
/// can be made up: memory is what is bounded then.
constexpr std::uint32_t most_devices = 65535;
constexpr std::uint32_t most_interfaces = 256;
/// An element goes after so long without a packet: every bucket is full again by then.
constexpr std::chrono::seconds rates_kept{10};
/// Of the bucket that fills slowest: one address in a second.
constexpr std::chrono::seconds addresses_rate_kept{60};

struct Limit {
  std::string of;  ///< what is limited, and what the sets are named by
  bool counts = false;
  std::uint32_t most = 0;
  std::uint32_t burst = 0;  ///< of rates
  Statement beyond = drop;
};

std::array<Limit, 8> limits() {
  return {Limit{"connections", true, most_connections, 0, go_to("refuse_flood")},
          Limit{"cloud_connections", true, most_connections, 0, go_to("refuse_flood")},
          Limit{"box_connections", true, most_connections, 0, go_to("refuse_flood")},
          Limit{"echoes", false, most_echoes, 2 * most_echoes},
          Limit{"resets", false, most_refusals, most_refusals},
          Limit{"errors", false, most_refusals, most_refusals},
          Limit{"questions", false, most_questions, most_questions},
          Limit{"link_messages", false, most_link_messages, 2 * most_link_messages}};
}

struct Key {
  Field field;
  Type type;
  const char* set;
};
constexpr Key by_device{Field::ether_saddr, Type::ether_addr, "_by_device"};
constexpr Key by_stranger{Field::ether_saddr, Type::ether_addr, "_by_stranger"};
constexpr Key by_address4{Field::ip_saddr, Type::ipv4_addr, "_by_address4"};
constexpr Key by_address6{Field::ip6_saddr, Type::ipv6_addr, "_by_address6"};

Statement over(const Limit& limit, const Key& key, std::uint32_t most) {
  if (limit.counts) return CountConnections{key.field, limit.of + key.set, most};
  return LimitRate{key.field, limit.of + key.set, most, limit.burst};
}

Chain chain_of(const Limit& limit) {
  Chain chain{"limit_" + limit.of};
  if (limit.counts) chain.rules.push_back({jump("limit_addresses")});
  chain.rules.push_back({known_device, over(limit, by_device, limit.most), limit.beyond});
  chain.rules.push_back({known_device, leave});
  if (limit.counts) chain.rules.push_back({jump("limit_strangers")});
  for (const auto& [routed, key] : {std::pair("routed4", by_address4), std::pair("routed6", by_address6)}) {
    const Statement behind_a_router = InSet{{key.field}, routed};
    chain.rules.push_back({behind_a_router, over(limit, key, limit.most), limit.beyond});
    chain.rules.push_back({behind_a_router, leave});
  }
  chain.rules.push_back({over(limit, by_stranger, limit.counts ? most_connections_of_stranger : limit.most), limit.beyond});
  return chain;
}

/// New connections of strangers, each interface's together. Before they are counted one by one, which costs more.
Chain limit_strangers() {
  return {"limit_strangers",
          {},
          {{InSet{{Field::iifname}, "crowded"}, go_to("refuse_flood")},
           {LimitRate{Field::iifname, "connections_by_link", most_new_of_strangers, 5 * most_new_of_strangers},
            go_to("refuse_flood")}}};
}

/// A device's addresses, as they have been seen together with its own. They come first: nft would take the network protocol from
/// the frame's header where that is looked at before.
std::vector<Rule> seen(const std::string& set) {
  return {{InSet{{Field::ip_saddr, Field::ether_saddr}, set + "4"}, leave},
          {InSet{{Field::ip6_saddr, Field::ether_saddr}, set + "6"}, leave}};
}

std::vector<Rule> see(const std::string& set) {
  return {{Remember{{Field::ip_saddr, Field::ether_saddr}, set + "4"}},
          {Remember{{Field::ip6_saddr, Field::ether_saddr}, set + "6"}}};
}

/// Without a word: the answer would be what looks for the neighbour. Behind a router there is one neighbour, the router.
std::vector<Chain> limit_addresses() {
  Chain all{"limit_addresses",
            {},
            {{known_device, go_to("limit_addresses_of_device")},
             {InSet{{Field::ip_saddr}, "routed4"}, leave},
             {InSet{{Field::ip6_saddr}, "routed6"}, leave}}};
  Chain device{"limit_addresses_of_device", {}, seen("addresses_of_device")};
  const auto add = [](Chain& chain, std::vector<Rule> rules) {
    for (Rule& rule : rules) chain.rules.push_back(std::move(rule));
  };
  add(all, seen("addresses_of_stranger"));
  add(all,
      {{LimitRate{Field::ether_saddr, "new_addresses_by_stranger", 1, most_addresses}, drop},
       {LimitRate{Field::iifname, "new_addresses_by_link", most_new_addresses_of_strangers, 20 * most_new_addresses_of_strangers},
        drop}});
  add(all, see("addresses_of_stranger"));
  add(device, {{LimitRate{Field::ether_saddr, "new_addresses_by_device", 1, most_addresses}, drop}});
  add(device, see("addresses_of_device"));
  return {all, device};
}

SetDeclaration fills_itself(std::string name, std::vector<Type> key, std::uint32_t most, std::chrono::milliseconds lifetime) {
  SetDeclaration set{std::move(name), std::move(key)};
  set.fills_itself = most;
  set.timeout = lifetime.count() > 0;
  set.lifetime = lifetime;
  return set;
}

/// Its elements come with a time of their own.
SetDeclaration crowded() { return fills_itself("crowded", {Type::ifname}, most_interfaces, rates_kept); }

}  // namespace

std::vector<Chain> limit_chains() {
  std::vector<Chain> chains;
  for (const Limit& limit : limits()) chains.push_back(chain_of(limit));
  chains.push_back(limit_strangers());
  for (Chain& chain : limit_addresses()) chains.push_back(std::move(chain));
  chains.push_back({"refuse_flood", {}, {{Count{"refused.flood"}, go_to("refuse")}}});
  return chains;
}

std::vector<SetDeclaration> limit_sets() {
  std::vector<SetDeclaration> sets;
  for (const Limit& limit : limits())
    for (const Key& key : {by_device, by_stranger, by_address4, by_address6})
      sets.push_back(fills_itself(limit.of + key.set, {key.type}, most_devices,
                                  limit.counts ? std::chrono::milliseconds(0) : std::chrono::milliseconds(rates_kept)));
  sets.push_back(crowded());
  sets.push_back(fills_itself("connections_by_link", {Type::ifname}, most_interfaces, rates_kept));
  sets.push_back(fills_itself("new_addresses_by_link", {Type::ifname}, most_interfaces, addresses_rate_kept));
  for (const char* whose : {"device", "stranger"}) {
    const std::string name(whose);
    sets.push_back(fills_itself("new_addresses_by_" + name, {Type::ether_addr}, most_devices, addresses_rate_kept));
    sets.push_back(fills_itself("addresses_of_" + name + "4", {Type::ipv4_addr, Type::ether_addr}, most_devices, addresses_kept));
    sets.push_back(fills_itself("addresses_of_" + name + "6", {Type::ipv6_addr, Type::ether_addr}, most_devices, addresses_kept));
  }
  return sets;
}

Plan crowd(const std::vector<std::string>& interfaces, std::chrono::milliseconds lifetime) {
  Plan plan{std::string(table_name)};
  std::vector<Element> elements;
  for (const auto& name : interfaces) elements.push_back({{InterfaceName{name}}, {}, {}, lifetime});
  if (!elements.empty()) plan.operations.push_back(operation::PinElements{crowded(), std::move(elements)});
  return plan;
}

}  // namespace schultor::netfilter::planner
