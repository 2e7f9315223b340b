// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/planner/build.hpp"

#include "netfilter/planner/box.hpp"
#include "netfilter/planner/chains.hpp"
#include "netfilter/planner/limits.hpp"
#include "netfilter/planner/ranges.hpp"

#include <netinet/in.h>

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace schultor::netfilter::planner {
namespace {

using namespace model;
using base::Family;

/// A profile's name as names in nft may be spelt.
std::string spelt(std::string_view profile) {
  std::string name(profile);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

Type address_type(Family family) { return family == Family::ipv4 ? Type::ipv4_addr : Type::ipv6_addr; }
char digit(Family family) { return family == Family::ipv4 ? '4' : '6'; }

Set constants(std::string name, Type type, std::vector<Atom> atoms) {
  Set set{{std::move(name), {type}}};
  for (Atom& atom : atoms) set.elements.push_back({{std::move(atom)}});
  return set;
}

Set interval(std::string name, std::vector<Type> key, Maps maps, std::vector<Element> elements) {
  SetDeclaration declaration{std::move(name), std::move(key), maps};
  declaration.interval = true;
  return {std::move(declaration), std::move(elements)};
}

void add_identity(const Intent& intent, std::vector<Set>& sets) {
  const std::set<std::string> names(intent.lan_interfaces.begin(), intent.lan_interfaces.end());
  Set lan{{"lan", {Type::ifname}}};
  for (const auto& name : names) lan.elements.push_back({{InterfaceName{name}}});
  sets.push_back(std::move(lan));

  Set devices{{"device_group", {Type::ether_addr}, Maps::to_mark}};
  devices.elements.reserve(intent.devices.size());
  for (const auto& [mac, group] : intent.devices) devices.elements.push_back({{mac}, {}, Mark{group}});
  sets.push_back(std::move(devices));

  for (const Family family : {Family::ipv4, Family::ipv6})
    sets.push_back(interval(fmt::format("prefix_group{}", digit(family)), {address_type(family)}, Maps::to_mark,
                            group_ranges(intent.prefixes, family)));

  std::vector<base::Prefix> routed;
  for (const auto& [prefix, group] : intent.prefixes) routed.push_back(prefix);
  for (const Family family : {Family::ipv4, Family::ipv6})
    sets.push_back(
        interval(fmt::format("routed{}", digit(family)), {address_type(family)}, Maps::nothing, merged_ranges(routed, family)));

  Set links{{"link_group", {Type::ifname}, Maps::to_mark}};
  for (const auto& [name, group] : intent.links) links.elements.push_back({{InterfaceName{name}}, {}, Mark{group}});
  sets.push_back(std::move(links));
}

void add_groups(const Intent& intent, std::vector<Set>& sets) {
  Set policy{declaration::group_policy()}, stamps{declaration::group_stamp()}, views{declaration::group_view()},
      pairs{declaration::fresh_pair()}, fresh{declaration::fresh()};
  const auto known = [&](const std::string& name) {
    return std::any_of(intent.profiles.begin(), intent.profiles.end(), [&](const Profile& own) { return own.name == name; });
  };
  for (const Group& group : intent.groups) {
    if (!known(group.profile)) continue;
    GroupElements elements = group_elements(group);
    policy.elements.push_back(std::move(elements.policy));
    stamps.elements.push_back(std::move(elements.stamp));
    views.elements.push_back(std::move(elements.view));
    pairs.elements.push_back(std::move(elements.fresh_pair));
    fresh.elements.push_back(std::move(elements.fresh));
  }
  for (Set* set : {&policy, &stamps, &views, &pairs, &fresh}) {
    std::sort(set->elements.begin(), set->elements.end());
    sets.push_back(std::move(*set));
  }
}

std::vector<Atom> ports_of(const std::vector<base::PortRange>& closed, std::uint8_t protocol) {
  std::vector<Atom> ports;
  for (const auto& range : base::merged(closed))
    for (std::uint32_t port = range.first; range.protocol == protocol && port <= range.last; ++port)
      ports.emplace_back(Port{static_cast<std::uint16_t>(port)});
  return ports;
}

void add_destinations(const Intent& intent, std::vector<Set>& sets) {
  constexpr std::array families{Family::ipv4, Family::ipv6};
  for (const Family family : families) sets.push_back({declaration::pins("", family)});
  for (const Family family : families)
    sets.push_back(interval(fmt::format("cloud_service{}", digit(family)),
                            {address_type(family), Type::inet_proto, Type::inet_service}, Maps::nothing,
                            service_ranges(intent.cloud_services, family)));
  for (const Profile& profile : intent.profiles)
    for (const Family family : families)
      if (profile.listed) sets.push_back({declaration::pins(profile.name, family)});
  for (const Profile& profile : intent.profiles)
    for (const Family family : families)
      if (profile.blocked)
        sets.push_back(interval(block_set(profile.name, family), {address_type(family)}, Maps::nothing,
                                merged_ranges(*profile.blocked, family)));
  for (const Profile& profile : intent.profiles)
    for (const std::uint8_t protocol : {IPPROTO_TCP, IPPROTO_UDP})
      if (profile.closed)
        sets.push_back(constants(closed_ports(profile.name, protocol), Type::inet_service, ports_of(*profile.closed, protocol)));
  for (const Family family : families)
    sets.push_back(interval(fmt::format("inside{}", digit(family)), {address_type(family)}, Maps::nothing,
                            remaining_ranges(intent.inside, intent.reachable, family)));
  for (const Family family : families)
    sets.push_back(interval(fmt::format("never{}", digit(family)), {address_type(family)}, Maps::nothing,
                            merged_ranges(intent.never, family)));
}

}  // namespace

std::string profile_chain(std::string_view profile) { return "profile_" + spelt(profile); }
std::string admitting_chain(std::string_view profile) { return "admitting_" + spelt(profile); }
std::string inside_chain(std::string_view profile) { return "inside_" + spelt(profile); }
std::string refused_counter(std::string_view profile) { return "refused_" + spelt(profile); }
std::string admitted_counter(std::string_view profile) { return profile.empty() ? "admitted.cloud" : "admitted_" + spelt(profile); }

std::string closed_ports(std::string_view profile, std::uint8_t protocol) {
  return (protocol == IPPROTO_TCP ? "closed_tcp_" : "closed_udp_") + spelt(profile);
}

std::string pin_set(std::string_view profile, Family family) {
  return (profile.empty() ? "cloud" : "allow_" + spelt(profile)) + digit(family);
}

std::string block_set(std::string_view profile, Family family) { return "block_" + spelt(profile) + digit(family); }

namespace declaration {

SetDeclaration group_policy() { return {"group_policy", {Type::mark}, Maps::to_verdict}; }
SetDeclaration group_stamp() { return {"group_stamp", {Type::mark}, Maps::to_mark}; }
SetDeclaration group_view() { return {"group_view", {Type::mark}, Maps::to_mark}; }
SetDeclaration fresh_pair() { return {"fresh_pair", {Type::mark, Type::mark}}; }
SetDeclaration fresh() { return {"fresh", {Type::mark}}; }

SetDeclaration pins(std::string_view profile, Family family) {
  SetDeclaration declaration{pin_set(profile, family), {address_type(family)}};
  if (profile.empty()) declaration.key = {address_type(family), Type::inet_proto, Type::inet_service};
  declaration.timeout = true;
  return declaration;
}

}  // namespace declaration

GroupElements group_elements(const Group& group) {
  const Mark number{group.number};
  const Mark in_force{stamp(group.number, group.generation)};
  return {{{number}, {}, Verdict{Verdict::Code::go_to, profile_chain(group.profile)}},
          {{number}, {}, in_force},
          {{number}, {}, Mark{group.view}},
          {{number, in_force}},
          {{in_force}}};
}

Ruleset build(const Intent& intent) {
  Ruleset ruleset{std::string(table_name)};
  // Named sets where nft would take anonymous ones: they are listed and compared like any other.
  ruleset.sets.push_back(constants("transport", Type::inet_proto, {Protocol{IPPROTO_TCP}, Protocol{IPPROTO_UDP}}));
  ruleset.sets.push_back(constants("dns_service", Type::inet_service, {Port{53}, Port{853}}));
  ruleset.sets.push_back(
      constants("usual_protocols", Type::inet_proto,
                {Protocol{IPPROTO_ICMP}, Protocol{IPPROTO_TCP}, Protocol{IPPROTO_UDP}, Protocol{IPPROTO_ICMPV6}}));
  ruleset.sets.push_back(constants("icmp_any", Type::inet_proto, {Protocol{IPPROTO_ICMP}, Protocol{IPPROTO_ICMPV6}}));
  add_identity(intent, ruleset.sets);
  add_groups(intent, ruleset.sets);
  add_destinations(intent, ruleset.sets);
  for (auto& set : box_sets(intent)) ruleset.sets.push_back(std::move(set));
  for (auto& set : limit_sets()) ruleset.sets.push_back({std::move(set)});
  for (const Profile& profile : intent.profiles)
    for (auto& counter : {refused_counter(profile.name), admitted_counter(profile.name)}) ruleset.counters.push_back(counter);
  for (const auto* counter : {"refused.flood", "refused.hop"}) ruleset.counters.emplace_back(counter);
  ruleset.counters.push_back(admitted_counter(""));
  if (!intent.offloaded.empty()) {
    const std::set<std::string> devices(intent.offloaded.begin(), intent.offloaded.end());
    ruleset.flowtables.push_back({std::string(cloud_flows), 0, {devices.begin(), devices.end()}});
  }
  ruleset.chains = chains(intent.profiles, !intent.offloaded.empty(), intent.web.has_value());
  return ruleset;
}

}  // namespace schultor::netfilter::planner
