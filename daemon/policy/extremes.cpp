// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/extremes.hpp"

#include "daemon/policy/schedule.hpp"

#include <algorithm>

namespace schultor::policy {
namespace {

/// Keeps the strictest of what it is shown.
class Strictest {
public:
  explicit Strictest(const Policy& policy) : policy_(policy) {}

  void add(const std::string& profile) {
    if (profile.empty()) return;
    profile_ = profile_.empty() ? profile : stricter(policy_, profile_, profile);
  }
  void add(const Group& group, const Overrides& overrides) {
    if (group.schedule) {
      const auto& schedule = policy_.schedules[*group.schedule];
      for (const auto* profile : {&schedule.during, &schedule.otherwise, &schedule.holidays, &policy_.untrusted}) add(*profile);
    }
    add(group.fixed_profile);
    for (const auto& one : overrides)
      if (!one.group || *one.group == group.name) add(one.profile);
  }
  [[nodiscard]] std::string profile() && { return std::move(profile_); }

private:
  const Policy& policy_;
  std::string profile_;
};

}  // namespace

std::string strictest_profile(const Policy& policy, const Group& group, const Overrides& overrides) {
  Strictest strictest(policy);
  strictest.add(group, overrides);
  if (group.unknown && group.strictest)
    for (const auto& other : policy.groups)
      if (other.ownership == Ownership::school) strictest.add(other, overrides);
  return std::move(strictest).profile();
}

const ProfileNames* widest_profile(const Policy& policy) {
  const ProfileNames* widest = nullptr;
  for (const auto& profile : policy.gate.profiles) {
    if (profile.listed || profile.source.file != "city.toml") continue;
    if (widest == nullptr || stricter(policy, widest->name, profile.name) == widest->name) widest = &profile;
  }
  return widest;
}

}  // namespace schultor::policy
