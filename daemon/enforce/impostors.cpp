// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/impostors.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace schultor::enforce {
namespace {

/// The group whose interface this is; null: no group's, or that of the devices that nothing else names.
const policy::Group* owner_of(const policy::Policy& policy, const std::string& interface) {
  for (const auto& group : policy.groups)
    for (const auto& own : group.interfaces)
      if (own.value == interface) return group.unknown ? nullptr : &group;
  return nullptr;
}

/// "a device of group 3b", unless that would say who it is.
std::string words_for(const policy::Policy& policy, const policy::Device* device) {
  if (device == nullptr) return "a device that no roster names";
  const auto same = std::count_if(policy.devices.begin(), policy.devices.end(),
                                  [&](const policy::Device& other) { return other.group == device->group; });
  if (static_cast<std::size_t>(same) < Impostors::fewest) return "a device of the roster";
  return fmt::format("a device of group {}", policy.groups[device->group].name);
}

}  // namespace

void Impostors::forget(Instant now) {
  if (now < swept_ + Turns<std::string>::span) return;
  swept_ = now;
  std::erase_if(trails_, [&](const auto& one) { return one.second.interfaces.is_over(now); });
  std::erase_if(found_, [&](const auto& one) { return one.second + until_again <= now; });
}

Impostors::Trail* Impostors::trail_of(const base::Mac& mac, Instant now) {
  forget(now);
  if (const auto known = trails_.find(mac); known != trails_.end()) return &known->second;
  return trails_.size() < most_devices ? &trails_[mac] : nullptr;
}

bool Impostors::is_news(Kind kind, const base::Mac& mac, Instant now) {
  const auto known = found_.find({mac, kind});
  if (known == found_.end() && found_.size() >= most_devices) return false;
  const bool news = known == found_.end() || known->second + until_again <= now;
  found_[{mac, kind}] = now;
  return news;
}

std::vector<Impostor> Impostors::look(const policy::Policy& policy, const netfilter::neighbours::Confirmation& confirmed,
                                      Instant now) {
  std::vector<Impostor> found;
  const auto& mac = confirmed.mac;
  auto* trail = trail_of(mac, now);
  if (trail == nullptr) return found;
  const auto* device = policy.find_device(mac);
  const auto add = [&](Kind kind, const std::string& what, const std::string& where) {
    if (!is_news(kind, mac, now)) return;
    found.push_back(
        {fmt::format("{} {}", words_for(policy, device), what), fmt::format("{} {} ({})", to_string(mac), what, where)});
  };
  const auto& interface = confirmed.link;
  const bool by_turns = trail->interfaces.note(interface, now);
  if (confirmed.address.family == base::Family::ipv4 && trail->addresses[interface].note(confirmed.address, now))
    add(Kind::two_addresses, "answers for several IPv4 addresses at the same time",
        fmt::format("{} on {}, and others", to_string(confirmed.address), interface));
  if (device == nullptr) return found;
  if (by_turns) add(Kind::two_interfaces, "is on several interfaces at the same time", fmt::format("{}, and others", interface));
  if (const auto* owner = owner_of(policy, interface); owner != nullptr && owner != &policy.groups[device->group])
    add(Kind::foreign_interface, fmt::format("is on the interface of group {}", owner->name), interface);
  return found;
}

}  // namespace schultor::enforce
