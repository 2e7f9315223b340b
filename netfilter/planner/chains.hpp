// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/model/ruleset.hpp"
#include "netfilter/planner/intent.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace schultor::netfilter::planner {

/// "refused_school"
std::string refused_counter(std::string_view profile);
/// "admitted_school"; `profile` empty: "admitted.cloud"
std::string admitted_counter(std::string_view profile);

/// All chains of the table. They depend on the profiles, on whether there is the flowtable cloud_flows, and on whether something
/// answers on the box's own addresses (Intent::web).
std::vector<model::Chain> chains(const std::vector<Profile>& profiles, bool offloads, bool answers_web);

}  // namespace schultor::netfilter::planner
