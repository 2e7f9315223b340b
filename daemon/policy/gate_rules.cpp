// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/gate_rules.hpp"

namespace schultor::policy {
namespace {

/// The profile's own word: the order without cloud and never.
Judgement judge_in_profile(const ProfileNames& profile, std::string_view name) {
  if (const auto blocked = profile.city_block.best(name); blocked.pattern != nullptr) {
    const auto excepted = profile.city_allow.best(name);
    if (excepted.pattern == nullptr || excepted.specificity <= blocked.specificity)
      return {Verdict::refuse, "city-block", blocked.pattern};
  }
  const auto allowed = profile.allow.best(name);
  const auto blocked = profile.block.best(name);
  if (blocked.pattern != nullptr && (allowed.pattern == nullptr || blocked.specificity >= allowed.specificity))
    return {Verdict::refuse, "block", blocked.pattern};
  if (allowed.pattern != nullptr) return {Verdict::allow, "allow", allowed.pattern};
  return {profile.listed ? Verdict::refuse : Verdict::allow, "default", nullptr};
}

}  // namespace

Judgement judge(const GateRules& rules, const ProfileNames& profile, std::string_view name) {
  if (const auto match = rules.cloud.best(name); match.pattern != nullptr) return {Verdict::allow, "cloud", match.pattern};
  if (const auto match = rules.never.best(name); match.pattern != nullptr) return {Verdict::refuse, "never", match.pattern};
  return judge_in_profile(profile, name);
}

Doors doors_of(const GateRules& rules, std::string_view name) {
  if (rules.cloud.best(name).pattern != nullptr) return cloud_door;
  if (rules.never.best(name).pattern != nullptr) return 0;
  Doors doors = 0;
  Doors door = cloud_door << 1U;
  for (const auto& profile : rules.profiles) {
    if (!profile.listed) continue;
    if (judge_in_profile(profile, name).verdict == Verdict::allow) doors |= door;
    door <<= 1U;
  }
  return doors;
}

bool allowed_below(const GateRules& rules, const ProfileNames& profile, std::string_view name) {
  if (rules.cloud.reaches_below(name)) return true;
  // A pattern that holds a name holds all below it as well.
  if (rules.never.best(name).pattern != nullptr) return false;
  if (profile.city_block.best(name).pattern != nullptr) return profile.city_allow.reaches_below(name);
  return profile.allow.reaches_below(name);
}

}  // namespace schultor::policy
