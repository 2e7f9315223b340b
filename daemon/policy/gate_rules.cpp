// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/gate_rules.hpp"

#include <netinet/in.h>

#include <utility>

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

Doors doors_of(const GateRules& rules, std::string_view name, std::string_view target) {
  if (const auto doors = rules.cloud.doors(name); doors != 0) return doors;
  if (rules.never.best(name).pattern != nullptr) return 0;
  Doors doors = 0;
  Doors door = first_listed_door;
  for (const auto& profile : rules.profiles) {
    if (!profile.listed) continue;
    if (judge_in_profile(profile, name).verdict == Verdict::allow && rewritten(profile.safe_search, name) == target) doors |= door;
    door <<= 1U;
  }
  return doors;
}

std::string_view rewrite_of(const ProfileNames& profile, const Judgement& judgement, std::string_view name) {
  if (judgement.verdict != Verdict::allow || judgement.because == "cloud") return {};
  return rewritten(profile.safe_search, name);
}

const Ports& usual_cloud_ports() {
  static const Ports usual{{IPPROTO_TCP, 80, 80}, {IPPROTO_TCP, 443, 443}, {IPPROTO_UDP, 443, 443}};
  return usual;
}

Ports ports_of(const GateRules& rules, Doors doors) {
  Ports ports;
  if ((doors & cloud_door) != 0) ports = usual_cloud_ports();
  for (std::size_t i = 0; i < rules.cloud_ports.size(); ++i)
    if ((doors & port_class_door(i)) != 0) ports.insert(ports.end(), rules.cloud_ports[i].begin(), rules.cloud_ports[i].end());
  return base::merged(std::move(ports));
}

bool allowed_below(const GateRules& rules, const ProfileNames& profile, std::string_view name) {
  if (rules.cloud.reaches_below(name)) return true;
  // A pattern that holds a name holds all below it as well.
  if (rules.never.best(name).pattern != nullptr) return false;
  if (profile.city_block.best(name).pattern != nullptr) return profile.city_allow.reaches_below(name);
  return profile.allow.reaches_below(name);
}

}  // namespace schultor::policy
