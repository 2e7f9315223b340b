// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/model/ruleset.hpp"
#include "netfilter/planner/intent.hpp"

#include <string>
#include <string_view>

/// The names that the ruleset, the plans and the tests share, and the builder of the whole.
namespace schultor::netfilter::planner {

inline constexpr std::string_view table_name = "schultor";
/// Where the DNS gate listens; what tablets send to port 53 is redirected here.
inline constexpr std::uint16_t gate_port = 5300;
/// The conntrack mark of flows to the cloud: of no group, never out of force.
inline constexpr std::uint32_t cloud_stamp = 0xffff0000;

/// The flowtable of flows to the cloud.
inline constexpr std::string_view cloud_flows = "cloud_flows";

/// The mark that flows of the group carry while `generation` is in force.
[[nodiscard]] constexpr std::uint32_t stamp(GroupNumber group, Generation generation) {
  return static_cast<std::uint32_t>(group) << 16 | generation;
}

/// "profile_school"
std::string profile_chain(std::string_view profile);
/// "allow_school4"; `profile` empty: "cloud4"
std::string pin_set(std::string_view profile, base::Family family);

/// "block_school4"
std::string block_set(std::string_view profile, base::Family family);

/// "admitting_school"
std::string admitting_chain(std::string_view profile);
/// "inside_leisure"
std::string inside_chain(std::string_view profile);
/// "closed_tcp_school"; `protocol`: IPPROTO_TCP or IPPROTO_UDP
std::string closed_ports(std::string_view profile, std::uint8_t protocol);

/// The whole table for `intent`. It is total: what an intent must fulfil is checked where configurations are
/// read (names of profiles stay different when '-' becomes '_'; prefixes do not overlap; groups name profiles
/// that exist). A group of an unknown profile is left out and so refused, the cloud excepted.
model::Ruleset build(const Intent& intent);

/// The elements of one group, in the sets that a mode switch touches.
struct GroupElements {
  model::Element policy, stamp, view, fresh_pair, fresh;
};
GroupElements group_elements(const Group& group);

/// Declarations of the sets that plans refer to without a ruleset at hand.
namespace declaration {
model::SetDeclaration group_policy();
model::SetDeclaration group_stamp();
model::SetDeclaration group_view();
model::SetDeclaration fresh_pair();
model::SetDeclaration fresh();
model::SetDeclaration pins(std::string_view profile, base::Family family);
}  // namespace declaration

}  // namespace schultor::netfilter::planner
