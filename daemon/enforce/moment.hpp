// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/wall_clock.hpp"
#include "daemon/enforce/lists_in_force.hpp"
#include "daemon/enforce/numbers.hpp"
#include "daemon/policy/policy.hpp"
#include "daemon/policy/schedule.hpp"
#include "netfilter/planner/intent.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// From what the policy says at an instant to what the kernel is to do. Pure: the instant is passed in.
namespace schultor::enforce {

/// What holds for every group at one instant.
struct Moment {
  base::Instant at;
  std::vector<policy::Span> spans;      ///< one for each of Policy::groups, in their order
  std::optional<policy::Seconds> next;  ///< the first instant after `at` at which a profile changes
};

[[nodiscard]] Moment moment_at(const policy::Policy& policy, base::Instant at, const policy::Circumstances& circumstances = {});

/// The same profile at any time for each group, for the reason `text`: what holds where no instant says so.
[[nodiscard]] Moment moment_of(const policy::Policy& policy, base::Instant at, const std::string& text,
                               const std::function<std::string(const policy::Group&)>& profile_of);

using Generations = std::map<netfilter::planner::GroupNumber, netfilter::planner::Generation>;

/// The group as the kernel is to know it.
[[nodiscard]] netfilter::planner::Group group_in_force(const policy::Group& group, const policy::Holding& holding,
                                                       const Numbers& numbers, netfilter::planner::Generation generation);

/// Everything that the kernel is to know. `numbers` has a number for everything in the policy; `generations` for every group.
[[nodiscard]] netfilter::planner::Intent intent_of(const policy::Policy& policy, const std::vector<std::string>& lan_interfaces,
                                                   const Moment& moment, const Numbers& numbers, const Generations& generations,
                                                   const ListedNetworks& listed = {});

/// The rules for the gate, with the view numbers that the kernel hands out.
[[nodiscard]] policy::GateRules gate_rules_of(const policy::Policy& policy, const Numbers& numbers);

/// Whether an address is one that names may lead to: not one that leads nowhere; or inside, where the school has no zones of its
/// own.
[[nodiscard]] bool may_be_opened(const policy::GateRules& rules, const base::Address& address);

/// The pins that the gate's request means: a door is the cloud on some ports or a listed profile. Refuses doors that the rules do
/// not have, and addresses that may not be opened.
[[nodiscard]] base::Result<std::vector<netfilter::planner::Pin>> pins_of(const policy::GateRules& rules,
                                                                         const base::Address& address, policy::Doors doors,
                                                                         std::chrono::seconds lifetime);

}  // namespace schultor::enforce
