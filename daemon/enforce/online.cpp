// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/online.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>

namespace schultor::enforce {
namespace {

using netfilter::neighbours::Device;
using netfilter::neighbours::Instant;
using netfilter::neighbours::Table;
using nlohmann::json;

/// What is seen of a device, on all interfaces together.
struct Seen {
  std::set<std::string> interfaces{};
  std::set<base::Address> addresses{};
  bool online = false;
};

json to_object(const policy::Policy& policy, const policy::Selectors& selectors, const base::Mac& mac, const Seen& seen) {
  const auto interface = seen.interfaces.empty() ? std::string_view{} : std::string_view(*seen.interfaces.begin());
  const auto selected = selectors.find({mac, seen.addresses, interface});
  json addresses = json::array();
  for (const auto& address : seen.addresses) addresses.push_back(to_string(address));
  return {{"mac", to_string(mac)},         {"group", policy.groups[selected.group].name},
          {"by", to_string(selected.by)},  {"online", seen.online},
          {"interfaces", seen.interfaces}, {"addresses", std::move(addresses)}};
}

}  // namespace

std::vector<std::size_t> online_by_group(const policy::Policy& policy, const policy::Selectors& selectors, const Table& table,
                                         Instant now) {
  std::vector<std::size_t> counts(policy.groups.size());
  std::optional<base::Mac> counted;
  table.for_each(now, [&](const Device& device) {
    if (!device.online || counted == device.mac) return;
    counted = device.mac;
    const auto* named = policy.find_device(device.mac);
    const auto group = named != nullptr ? named->group : selectors.find({device.mac, device.addresses, device.link}).group;
    ++counts[group];
  });
  return counts;
}

std::string devices_json(const policy::Policy& policy, const policy::Selectors& selectors, const Table& table, Instant now) {
  std::map<base::Mac, Seen> all;
  for (const auto& device : policy.devices) all[device.mac];
  table.for_each(now, [&](const Device& device) {
    auto& seen = all[device.mac];
    seen.interfaces.insert(device.link);
    seen.addresses.insert(device.addresses.begin(), device.addresses.end());
    seen.online = seen.online || device.online;
  });
  json devices = json::array();
  for (const auto& [mac, seen] : all) devices.push_back(to_object(policy, selectors, mac, seen));
  return json{{"devices", std::move(devices)}}.dump();
}

}  // namespace schultor::enforce
