// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/model/found.hpp"
#include "netfilter/planner/plan.hpp"

namespace schultor::netfilter::planner {

/// What turns what the kernel holds into what is wanted; nothing when it is that already. Elements of sets with
/// timeouts stay untouched as long as their set stays.
Plan reconcile(const model::Ruleset& wanted, const model::Found& found);

}  // namespace schultor::netfilter::planner
