// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/model/found.hpp"
#include "netfilter/model/ruleset.hpp"

#include <string>
#include <vector>

namespace schultor::netfilter::planner {

/// What the kernel holds otherwise than is wanted, in lines for people: "element 0x00000002 : 0x00010007 of map group_stamp is
/// missing". Nothing where reconcile() has nothing to do. Elements of sets with timeouts are not looked at.
[[nodiscard]] std::vector<std::string> differences(const model::Ruleset& wanted, const model::Found& found);

}  // namespace schultor::netfilter::planner
