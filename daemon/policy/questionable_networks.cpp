// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/networks.hpp"
#include "daemon/policy/questionable_parts.hpp"
#include "daemon/policy/services.hpp"

#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace schultor::policy {
namespace {

using WrittenNetwork = config::Located<base::Prefix>;

/// No city and no school has a network as wide as that.
bool is_boundless(const base::Prefix& network) { return network.length < (network.address.family == base::Family::ipv4 ? 8 : 16); }

bool is_host(const base::Prefix& network) { return network == base::host(network.address); }

/// Which of the gateway's networks on the LAN it has addresses of; null where none.
const base::InterfaceAddress* lan_of(const config::Gateway& gateway, const base::Prefix& network) {
  for (const auto& [own, source] : gateway.lan_addresses)
    if (base::overlap(base::network_of(own.address, own.length), network)) return &own;
  return nullptr;
}

/// A router on the LAN answers for a network; an address of the LAN itself is there for whoever takes it.
void question_prefixes(const Examined& examined) {
  for (const auto& group : examined.config.school.groups)
    for (const auto& prefix : group.prefixes)
      if (const auto* own = lan_of(examined.config.gateway, prefix.value); own != nullptr)
        examined.out.warning(
            prefix.source,
            fmt::format("network {} is on the LAN ({} is the gateway's): whoever takes an address of it is in group “{}”, and has "
                        "what a device may have once more with each address: name the devices in roster.csv, or an interface for "
                        "the group, and here networks behind a router alone",
                        to_string(prefix.value), to_string(*own), group.name.value));
}

/// Those who sit at tablets in a network; empty where none is known to.
std::string tablets_in(const Examined& examined, const base::Prefix& network) {
  if (const auto* own = lan_of(examined.config.gateway, network); own != nullptr)
    return fmt::format("the LAN, {}", to_string(*own));
  for (const auto& group : examined.config.school.groups)
    for (const auto& prefix : group.prefixes)
      if (group.ownership != config::Ownership::staff && base::overlap(prefix.value, network))
        return fmt::format("group “{}”, {}", group.name.value, to_string(prefix.value));
  return {};
}

void question_management_network(const Examined& examined, const WrittenNetwork& network) {
  const auto& [prefix, source] = network;
  if (is_boundless(prefix)) {
    examined.out.warning(source, fmt::format("network {} lets the whole internet try the management of this box, and every tablet: "
                                             "expected the networks that it is managed from",
                                             to_string(prefix)));
    return;
  }
  // Somebody has chosen a single address.
  const auto tablets = is_host(prefix) ? std::string() : tablets_in(examined, prefix);
  if (!tablets.empty())
    examined.out.warning(source,
                         fmt::format("network {} has tablets in it ({}), which may try the management of this box: expected a "
                                     "network of those who manage it, or their machines' addresses",
                                     to_string(prefix), tablets));
}

void question_management(const Examined& examined) {
  const auto& management = examined.config.gateway.management;
  if (!management) {
    examined.out.warning(
        {"gateway.toml", 1, 1},
        "[management] is missing, so that this box is reached from its console alone: name the networks that it is "
        "managed from in prefixes, or write prefixes = [] if that is meant");
    return;
  }
  for (const auto& network : management->prefixes) question_management_network(examined, network);
  if (management->prefixes.empty() && !management->ports.empty())
    examined.out.warning(management->ports.front().source,
                         "[management] ports has no effect without prefixes: name the networks that this box is managed from");
}

/// What is behind a router is closed as well, for being the school's own.
bool is_of_a_group(const Examined& examined, const base::Prefix& network) {
  const auto& groups = examined.config.school.groups;
  return std::any_of(groups.begin(), groups.end(), [&](const config::Group& group) {
    return std::any_of(group.prefixes.begin(), group.prefixes.end(),
                       [&](const WrittenNetwork& one) { return base::overlap(one.value, network); });
  });
}

void question_reachable(const Examined& examined) {
  const auto& inside = examined.policy.network.inside;
  for (const auto& [prefix, source] : examined.config.gateway.reachable) {
    const auto& reachable = prefix;
    const auto is_own = [&](const base::Prefix& network) {
      const auto& lan = examined.config.gateway.lan_addresses;
      return std::any_of(lan.begin(), lan.end(),
                         [&](const auto& own) { return base::network_of(own.value.address, own.value.length) == network; });
    };
    const auto whole = std::find_if(inside.begin(), inside.end(), [&](const base::Prefix& network) {
      return base::contains(reachable, network) && !is_own(network);
    });
    if (whole != inside.end())
      examined.out.warning(source,
                           fmt::format("network {} opens all of {} to open profiles, whatever is there or will be: expected "
                                       "the networks or machines that are meant",
                                       to_string(reachable), to_string(*whole)));
    else if (std::none_of(inside.begin(), inside.end(), [&](const auto& network) { return base::overlap(reachable, network); }) &&
             !is_of_a_group(examined, reachable))
      examined.out.warning(source,
                           fmt::format("network {} is none that is closed in open profiles: remove it here", to_string(reachable)));
  }
}

/// Warns of a service that is opened where nothing closes it, or that this opens for nobody.
void question_services(const Examined& examined, const config::Profile& profile) {
  constexpr std::array<std::uint16_t, 2> dns{53, 853};
  const auto closed = closed_unless_opened(profile.access == config::Access::listed, examined.policy.bypass);
  for (const auto& [service, source] : profile.services) {
    const auto& range = service;
    const bool is_dns = range.first == range.last && std::find(dns.begin(), dns.end(), range.first) != dns.end();
    if (is_dns)
      examined.out.warning(source, fmt::format("services: {} stays closed, since names are the gate's to resolve: remove it here",
                                               base::to_string(range)));
    else if (std::none_of(closed.begin(), closed.end(), [&](const auto& one) { return overlap(one, range); }))
      examined.out.warning(source, fmt::format("services: {} has no effect, since profile “{}” closes no such port: remove it here",
                                               base::to_string(range), profile.name.value));
  }
}

}  // namespace

void question_networks(const Examined& examined) {
  question_prefixes(examined);
  question_management(examined);
  question_reachable(examined);
  for (const auto* list : {&examined.config.city.profiles, &examined.config.school.profiles})
    for (const auto& profile : *list) question_services(examined, profile);
}

}  // namespace schultor::policy
