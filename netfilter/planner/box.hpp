// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/model/ruleset.hpp"
#include "netfilter/planner/intent.hpp"

#include <vector>

/// What the box itself takes and gives: what may come in, and what happens to all that leaves.
namespace schultor::netfilter::planner {

/// `answers_web`: something answers on its own addresses (Intent::web).
[[nodiscard]] std::vector<model::Chain> box_chains(bool answers_web);
[[nodiscard]] std::vector<model::Set> box_sets(const Intent& intent);

}  // namespace schultor::netfilter::planner
