// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/policy.hpp"

#include <algorithm>
#include <cassert>

namespace schultor::policy {

const Group* Policy::find_group(std::string_view name) const {
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const Group& group) { return group.name == name; });
  return found == groups.end() ? nullptr : &*found;
}

const ProfileNames* Policy::find_profile(std::string_view name) const {
  const auto& profiles = gate.profiles;
  const auto found =
      std::find_if(profiles.begin(), profiles.end(), [&](const ProfileNames& profile) { return profile.name == name; });
  return found == profiles.end() ? nullptr : &*found;
}

const Device* Policy::find_device(const base::Mac& mac) const {
  const auto found = std::lower_bound(devices.begin(), devices.end(), mac,
                                      [](const Device& device, const base::Mac& wanted) { return device.mac < wanted; });
  return found == devices.end() || found->mac != mac ? nullptr : &*found;
}

const Group* Policy::group_of(const base::Mac& mac) const {
  const auto* device = find_device(mac);
  return device == nullptr ? nullptr : &groups[device->group];
}

const Group& Policy::unknown_group() const {
  const auto found = std::find_if(groups.begin(), groups.end(), [](const Group& group) { return group.unknown; });
  assert(found != groups.end());
  return *found;
}

}  // namespace schultor::policy
