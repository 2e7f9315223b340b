// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/offload.hpp"

#include <net/if.h>

#include <algorithm>

namespace schultor::enforce {
namespace {

bool exists(const std::string& interface) { return if_nametoindex(interface.c_str()) != 0; }

bool is_held(const netfilter::model::Found& found, const std::string& device) {
  return std::any_of(found.flowtables.begin(), found.flowtables.end(), [&](const auto& one) {
    return std::find(one.flowtable.devices.begin(), one.flowtable.devices.end(), device) != one.flowtable.devices.end();
  });
}

}  // namespace

Offload offload_now(const policy::Network& network, const std::vector<std::string>& lan_interfaces, const std::string& fault) {
  if (!network.offload) return {{}, "switched off"};
  if (!fault.empty()) return no_offload(fault);
  Offload offload{lan_interfaces, "cloud connections"};
  offload.interfaces.push_back(network.wan_interface);
  // A device that is not there would fail the whole ruleset.
  std::erase_if(offload.interfaces, [](const auto& interface) { return !exists(interface); });
  return offload.interfaces.empty() ? no_offload("none of the interfaces is there") : offload;
}

Offload no_offload(const std::string& reason) { return {{}, "no: " + reason}; }

void leave_out_gone_devices(netfilter::model::Ruleset& wanted, const netfilter::model::Found& found) {
  for (auto& flowtable : wanted.flowtables)
    std::erase_if(flowtable.devices, [&](const auto& device) { return !exists(device) && !is_held(found, device); });
}

}  // namespace schultor::enforce
