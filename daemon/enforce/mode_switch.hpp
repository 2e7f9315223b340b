// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/enforce/events.hpp"
#include "daemon/enforce/moment.hpp"
#include "netfilter/planner/intent.hpp"
#include "netfilter/planner/switch.hpp"

#include <map>
#include <optional>
#include <set>
#include <vector>

/// The decisions behind a commit, as values. Pure.
namespace schultor::enforce {

/// What the kernel was found to hold, in the planner's words. Empty when there is no table yet.
struct Standing {
  std::map<netfilter::planner::GroupNumber, netfilter::planner::Group> groups;
  std::map<base::Mac, netfilter::planner::GroupNumber> devices;
  std::map<base::Prefix, netfilter::planner::GroupNumber> prefixes;
  std::map<std::string, netfilter::planner::GroupNumber> links;
};

/// A mode switch that fell due: elements of a few maps, whatever the number of tablets.
struct ModeSwitch {
  std::vector<netfilter::planner::GroupSwitch> groups;
  std::vector<ModeChange> changes;  ///< for people; one for each of `groups`
  [[nodiscard]] bool empty() const { return groups.empty(); }
};

/// The switch from what is in force to what `moment` wants. `in_force` has every group of the policy.
[[nodiscard]] ModeSwitch plan_mode_switch(const policy::Policy& policy, const Numbers& numbers, const Standing& in_force,
                                          const Moment& moment);

/// Generations for a whole configuration to be applied over `found`: a group keeps its generation, and with it the connections
/// it has admitted, if its profile and members stay what they were. `rules_changed`: all groups are to be judged anew.
/// `first` is the generation of groups that the kernel does not know.
[[nodiscard]] Generations generations_over(const Standing& found, const policy::Policy& policy,
                                           const std::vector<std::string>& lan_interfaces, const Moment& moment,
                                           const Numbers& numbers, bool rules_changed, netfilter::planner::Generation first);

/// What an intent leaves in the kernel.
[[nodiscard]] Standing standing_of(const netfilter::planner::Intent& intent);
/// What the kernel was found to hold. A group stands in it once it has a policy and a stamp; its profile is empty where the numbers
/// do not know the chain: what the kernel calls it is nobody's business.
[[nodiscard]] Standing standing_of(const netfilter::model::Found& found, const Numbers& numbers);

/// Why a whole configuration is committed.
enum class Occasion {
  start,   ///< what holds is told for every group: whether it was told before a crash is not known here
  reload,  ///< what changed, changed by the reload
  repair,  ///< the kernel is not as it was left: the modes are, and what changed of them fell due meanwhile
};

/// Changes of profile against what was found, for events. A reload's changes bear the moment's instant.
[[nodiscard]] std::vector<ModeChange> changes_over(const Standing& found, const policy::Policy& policy, const Moment& moment,
                                                   const Numbers& numbers, Occasion occasion);

}  // namespace schultor::enforce
