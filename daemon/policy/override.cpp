// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/override.hpp"

namespace schultor::policy {

const Override* override_at(const Overrides& overrides, std::string_view group, std::chrono::sys_seconds at) {
  const Override* found = nullptr;
  for (const auto& one : overrides)
    if (one.from <= at && at < one.until && (!one.group || *one.group == group)) found = &one;
  return found != nullptr && !found->profile.empty() ? found : nullptr;
}

}  // namespace schultor::policy
