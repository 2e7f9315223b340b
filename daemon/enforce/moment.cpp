// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/moment.hpp"

#include "daemon/policy/address_reach.hpp"
#include "netfilter/planner/ranges.hpp"

#include <algorithm>

namespace schultor::enforce {

namespace planner = netfilter::planner;

Moment moment_at(const policy::Policy& policy, base::Instant at, const policy::Circumstances& circumstances) {
  Moment moment{at, {}, std::nullopt};
  const auto second = std::chrono::floor<std::chrono::seconds>(at);
  for (const auto& group : policy.groups) {
    moment.spans.push_back(policy::span_at(policy, group, second, circumstances));
    if (const auto until = moment.spans.back().until; until && (!moment.next || *until < *moment.next)) moment.next = until;
  }
  return moment;
}

Moment moment_of(const policy::Policy& policy, base::Instant at, const std::string& text,
                 const std::function<std::string(const policy::Group&)>& profile_of) {
  Moment moment{at, {}, std::nullopt};
  for (const auto& group : policy.groups)
    moment.spans.push_back({{profile_of(group), policy::Because::fixed, text, group.source}, std::nullopt, std::nullopt});
  return moment;
}

planner::Group group_in_force(const policy::Group& group, const policy::Holding& holding, const Numbers& numbers,
                              planner::Generation generation) {
  return {numbers.groups.find(group.name)->second, holding.profile,
          numbers.views.find(view_key(holding.profile, steers(group)))->second, generation};
}

planner::Intent intent_of(const policy::Policy& policy, const std::vector<std::string>& lan_interfaces, const Moment& moment,
                          const Numbers& numbers, const Generations& generations, const ListedNetworks& listed) {
  planner::Intent intent;
  intent.never = listed.never;
  intent.never.insert(intent.never.end(), policy.never_networks.begin(), policy.never_networks.end());
  intent.lan_interfaces = lan_interfaces;
  const auto number_of = [&](const policy::Group& group) { return numbers.groups.find(group.name)->second; };
  for (const auto& device : policy.devices) intent.devices.emplace(device.mac, number_of(policy.groups[device.group]));
  const auto unknown = number_of(policy.unknown_group());
  for (const auto& interface : lan_interfaces) intent.links.emplace(interface, unknown);
  for (std::size_t i = 0; i < policy.groups.size(); ++i) {
    const auto& group = policy.groups[i];
    const auto number = number_of(group);
    for (const auto& prefix : group.prefixes) intent.prefixes.emplace(prefix.value, number);
    for (const auto& interface : group.interfaces) intent.links.insert_or_assign(interface.value, number);
    intent.groups.push_back(group_in_force(group, moment.spans[i].holding, numbers, generations.at(number)));
  }
  intent.prefixes = planner::disjoint(intent.prefixes);
  for (const auto& [prefix, ports] : policy.cloud_ranges)
    intent.cloud_services.push_back({prefix, ports.protocol, ports.first, ports.last});
  for (const auto& profile : policy.gate.profiles) {
    const auto label = numbers.labels.find(profile.name);
    intent.profiles.push_back({profile.name, profile.listed, profile.listed ? label->second : std::uint8_t{0}});
    if (const auto closed = policy.closed_services.find(profile.name); closed != policy.closed_services.end())
      intent.profiles.back().closed = closed->second;
    if (const auto blocked = listed.blocked.find(profile.name); blocked != listed.blocked.end())
      intent.profiles.back().blocked = blocked->second;
  }
  intent.inside = policy.network.inside;
  for (const auto& [prefix, group] : intent.prefixes) intent.inside.push_back(prefix);
  intent.reachable = policy.network.reachable;
  if (policy.network.masquerade) intent.masqueraded = {policy.network.wan_interface};
  intent.management = {policy.network.management, policy.network.management_ports};
  if (policy.cache) {
    intent.web.emplace();
    intent.web->addresses = policy.cache->lan;
    for (const auto& group : policy.groups)
      if (policy::steers(group)) intent.web->terminating.push_back(number_of(group));
  }
  return intent;
}

policy::GateRules gate_rules_of(const policy::Policy& policy, const Numbers& numbers) {
  policy::GateRules rules = policy.gate;
  for (std::size_t i = 0; i < rules.profiles.size(); ++i)
    for (const bool steer : {false, true})
      rules.views[numbers.views.find(view_key(rules.profiles[i].name, steer))->second] = {i, steer};
  return rules;
}

bool may_be_opened(const policy::GateRules& rules, const base::Address& address) {
  const auto reach = policy::reach_of(rules.lan, address);
  const bool has_local = !rules.local.patterns().empty();
  return reach != policy::Reach::nowhere && (reach != policy::Reach::inside || has_local);
}

base::Result<std::vector<planner::Pin>> pins_of(const policy::GateRules& rules, const base::Address& address, policy::Doors doors,
                                                std::chrono::seconds lifetime) {
  if (!may_be_opened(rules, address)) return base::fail("{} is no address to be opened", base::to_string(address));
  std::vector<planner::Pin> pins;
  if ((doors & policy::any_cloud_door) != 0) pins.push_back({address, {}, lifetime, policy::ports_of(rules, doors)});
  policy::Doors known = policy::cloud_door;
  for (std::size_t i = 0; i < rules.cloud_ports.size(); ++i) known |= policy::port_class_door(i);
  policy::Doors door = policy::first_listed_door;
  for (const auto& profile : rules.profiles) {
    if (!profile.listed) continue;
    known |= door;
    if ((doors & door) != 0) pins.push_back({address, profile.name, lifetime, {}});
    door <<= 1U;
  }
  if (doors == 0 || (doors & ~known) != 0)
    return base::fail("doors {:#x} for {}: the rules have {:#x}", doors, base::to_string(address), known);
  return pins;
}

}  // namespace schultor::enforce
