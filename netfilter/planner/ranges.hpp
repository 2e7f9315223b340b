// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/model/ruleset.hpp"
#include "netfilter/planner/intent.hpp"

#include <map>
#include <vector>

/// What is published as addresses, as elements of interval sets: disjoint, since the kernel refuses elements that overlap.
namespace schultor::netfilter::planner {

/// Ranges of one family, merged where they overlap or touch.
std::vector<model::Element> merged_ranges(const std::vector<base::Prefix>& prefixes, base::Family family);

/// Ranges of one family that are in `prefixes` and not in `without`.
std::vector<model::Element> remaining_ranges(const std::vector<base::Prefix>& prefixes, const std::vector<base::Prefix>& without,
                                             base::Family family);

/// Networks that may lie in one another as ones that do not: an address is in the group of the longest that holds it.
std::map<base::Prefix, GroupNumber> disjoint(const std::map<base::Prefix, GroupNumber>& prefixes);

/// Ranges of one family with the group they belong to; as they are, since they must not overlap.
std::vector<model::Element> group_ranges(const std::map<base::Prefix, GroupNumber>& prefixes, base::Family family);

/// Address, protocol and ports; services that overlap (published lists do) are cut into disjoint ones.
std::vector<model::Element> service_ranges(const std::vector<Service>& services, base::Family family);

}  // namespace schultor::netfilter::planner
