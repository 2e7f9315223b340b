// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/model/found.hpp"
#include "netfilter/planner/intent.hpp"
#include "netfilter/planner/plan.hpp"

#include <map>
#include <optional>
#include <vector>

namespace schultor::netfilter::planner {

struct GroupSwitch {
  std::optional<Group> from{};  ///< what the kernel holds now, by the last commit or read; none: the group is new
  Group to;                     ///< of the same number, with the next generation, so that its flows are judged anew
};

/// A mode switch: nothing but elements of group_policy, group_stamp, group_view, fresh_pair and fresh, one message for
/// each set and kind however many groups switch (until a message is full, at some thousand groups).
///
/// The kernel knows no replacing in a map, so a changed element is deleted and added in the same transaction; packets see
/// the one or the other. Its delete cannot fail while `from` is what the kernel holds, which the one writer of the table
/// knows from its own last commit, or from read() when it starts. Should a stranger have changed the table, the whole
/// transaction fails and nothing has changed: the caller then reads and reconciles, and gets the switch by that.
/// A group must not stand twice in `switches`.
Plan switch_groups(const std::vector<GroupSwitch>& switches);

/// Opens addresses for their lifetimes (at least a second). The cloud's are opened on their ports, each by itself.
/// Of two pins of one address for one profile the longer holds. A profile must be a listed one of the ruleset that the
/// kernel holds: else its set is missing and the whole transaction fails.
///
/// The kernel's timeout becomes the lifetime given here, also when it is the shorter one: that a pin never shortens the
/// life of an earlier one is the caller's to see to, who remembers what it pinned until when (pins_found() after a start).
Plan pin(const std::vector<Pin>& pins);

/// Puts pins among what `ruleset` has its sets begin with. Where the kernel has such a set already, reconcile() leaves its elements
/// alone: they are of use for a table, or a set, that is made anew.
void begin_with(model::Ruleset& ruleset, const std::vector<Pin>& pins);

/// The generation after `generation`; never 0.
[[nodiscard]] Generation next(Generation generation);

/// The generations in force, read back, so that they only grow.
std::map<GroupNumber, Generation> generations(const model::Found& found);

/// The pins that live, with the time left to them. Cloud pins stand once however many ports they have, with these, merged, and
/// by the shortest: whoever wants another port pins anew. `profiles` are those of the ruleset.
std::vector<Pin> pins_found(const model::Found& found, const std::vector<Profile>& profiles);

}  // namespace schultor::netfilter::planner
