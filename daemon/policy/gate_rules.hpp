// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/policy/name_patterns.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The part of the policy that the DNS gate answers by: names, no groups, no devices, no hours.
namespace schultor::policy {

/// A profile's rules for names.
struct ProfileNames {
  std::string name;
  bool listed = false;      ///< default: refuse; else allow
  NamePatterns city_block;  ///< before the profile's own lists: a school's additions never beat it
  NamePatterns city_allow;  ///< of `allow`, what the city itself wrote: more specific, it is an exception from `city_block`
  NamePatterns allow;
  NamePatterns block;
  Source source;  ///< where the profile is written
};

/// A view is what a question is answered by: a profile, and whether cached origins are steered to the local cache.
struct View {
  std::size_t profile = 0;  ///< index into GateRules::profiles
  bool steer = false;
};

/// Bits of places that an address may be pinned for: bit 0 is the cloud, bit i+1 is the i-th listed profile
/// in the order of GateRules::profiles. At most 63 listed profiles.
using Doors = std::uint64_t;
inline constexpr Doors cloud_door = 1;

enum class Verdict : std::uint8_t { allow, refuse };

/// A verdict, and the rule that it comes from.
struct Judgement {
  Verdict verdict = Verdict::refuse;
  /// cloud | never | city-block | allow | block | default
  std::string_view because;
  /// The pattern that decided; null for `default`. Borrowed from the GateRules.
  const Pattern* pattern = nullptr;
};

struct GateRules {
  NamePatterns cloud;
  NamePatterns never;
  std::vector<ProfileNames> profiles;
  std::map<std::uint32_t, View> views;  ///< by view number (ViewNumber of the ruleset), 1 and up
};

/// Judges `name` (lower case, no trailing dot, A-labels) in a profile. Order, first hit decides:
/// cloud (allow) → never (refuse) → the city's block, but for its own more specific allow (refuse) → the profile's allow and block,
/// of which the most specific pattern wins and block wins a tie → the profile's default.
[[nodiscard]] Judgement judge(const GateRules& rules, const ProfileNames& profile, std::string_view name);

/// The doors that an address handed out for `name` is pinned for: the cloud's alone for a cloud name,
/// else every listed profile that allows it, whatever view asked.
[[nodiscard]] Doors doors_of(const GateRules& rules, std::string_view name);

/// Whether a name below `name` may be allowed in the profile although `name` itself is refused: an answer for `name`
/// must then be NODATA, since NXDOMAIN would deny everything below (RFC 8020).
[[nodiscard]] bool allowed_below(const GateRules& rules, const ProfileNames& profile, std::string_view name);

/// As JSON, and back: how schultord hands the rules to the gate. Reading is strict and bounded.
[[nodiscard]] std::string to_json(const GateRules& rules);
[[nodiscard]] base::Result<GateRules> gate_rules_from_json(std::string_view json);

}  // namespace schultor::policy
