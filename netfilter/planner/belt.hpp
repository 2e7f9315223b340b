// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/planner/plan.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What holds for the moment in which somebody has taken the ruleset away and it is not back yet.
namespace schultor::netfilter::planner {

inline constexpr std::string_view belt_name = "schultor_belt";

/// Makes the belt, or makes it anew: a table that drops the first packet of each flow which comes from the LAN to be forwarded and
/// no rule of ours has stamped, as every one that begins while the ruleset is gone. It keeps the kernel translating flows that are
/// there, and costs their packets nothing. It belongs to the socket that commits this plan, so that "nft flush ruleset" leaves it
/// alone, and goes with it: the ruleset outlives a daemon, the belt does not.
[[nodiscard]] Plan belt(const std::vector<std::string>& lan_interfaces, const std::vector<std::string>& masqueraded);

}  // namespace schultor::netfilter::planner
