// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/selectors.hpp"

namespace schultor::policy {

std::string_view to_string(SelectedBy by) {
  switch (by) {
    case SelectedBy::roster:
      return "roster";
    case SelectedBy::prefix:
      return "prefix";
    case SelectedBy::interface:
      return "interface";
    case SelectedBy::unknown:
      break;
  }
  return "unknown";
}

Selectors::Selectors(const Policy& policy) : policy_(policy) {
  for (std::size_t i = 0; i < policy.groups.size(); ++i) {
    for (const auto& [prefix, source] : policy.groups[i].prefixes) {
      prefixes_.emplace(prefix, Selector{i, &source});
      lengths_.insert(prefix.length);
    }
    for (const auto& [interface, source] : policy.groups[i].interfaces) interfaces_.emplace(interface, Selector{i, &source});
  }
}

Selected Selectors::find(const Traits& traits) const {
  if (const auto* device = traits.mac ? policy_.find_device(*traits.mac) : nullptr; device != nullptr)
    return {device->group, SelectedBy::roster, to_string(*traits.mac), device->source};
  for (const auto length : lengths_)
    for (const auto& address : traits.addresses)
      if (const auto found = prefixes_.find(base::network_of(address, length)); found != prefixes_.end())
        return {found->second.group, SelectedBy::prefix, to_string(found->first), *found->second.source};
  if (const auto found = interfaces_.find(traits.interface); found != interfaces_.end())
    return {found->second.group, SelectedBy::interface, std::string(found->first), *found->second.source};
  const auto& unknown = policy_.unknown_group();
  return {static_cast<std::size_t>(&unknown - policy_.groups.data()), SelectedBy::unknown, {}, unknown.source};
}

}  // namespace schultor::policy
