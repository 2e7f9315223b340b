// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile_network.hpp"

#include "daemon/policy/address_reach.hpp"

#include <fmt/format.h>

namespace schultor::policy {
namespace {

constexpr std::uint16_t ssh_port = 22;

}  // namespace

void check_is_somebodys(const config::Located<base::Prefix>& network, config::Diagnostics& out) {
  if (is_nobodys(network.value))
    out.error(network.source,
              fmt::format("no device has an address of {}: expected a network such as 192.168.5.0/24", to_string(network.value)));
}

Network compile_network(const config::Gateway& gateway, config::Diagnostics& out) {
  Network network;
  network.wan_interface = gateway.wan_interface.value;
  network.masquerade = gateway.masquerade.value;
  network.offload = gateway.offload.value;
  std::vector<base::InterfaceAddress> lan;
  for (const auto& address : gateway.lan_addresses) lan.push_back(address.value);
  network.inside = networks_inside(lan);
  for (const auto& prefix : gateway.reachable) check_is_somebodys(prefix, out);
  for (const auto& prefix : gateway.reachable) network.reachable.push_back(prefix.value);
  // Ports of nobody are none: the same as without the table.
  if (!gateway.management || gateway.management->prefixes.empty()) return network;
  for (const auto& prefix : gateway.management->prefixes) check_is_somebodys(prefix, out);
  for (const auto& prefix : gateway.management->prefixes) network.management.push_back(prefix.value);
  for (const auto& port : gateway.management->ports) network.management_ports.push_back(port.value);
  if (network.management_ports.empty()) network.management_ports = {ssh_port};
  return network;
}

}  // namespace schultor::policy
