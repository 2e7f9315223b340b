// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/policy/selectors.hpp"
#include "netfilter/neighbours/table.hpp"

#include <string>
#include <vector>

namespace schultor::enforce {

/// How many devices are online in each of Policy::groups, in their order: each device once, however many addresses it has. Of
/// routed networks only what is on the LAN itself is seen.
[[nodiscard]] std::vector<std::size_t> online_by_group(const policy::Policy& policy, const policy::Selectors& selectors,
                                                       const netfilter::neighbours::Table& table,
                                                       netfilter::neighbours::Instant now);

/// The devices of the roster, and those of the LAN that it does not name, by their addresses: {"devices": [{"mac", "group", "by",
/// "online", "interfaces", "addresses"}]}. For administrators of this machine alone.
[[nodiscard]] std::string devices_json(const policy::Policy& policy, const policy::Selectors& selectors,
                                       const netfilter::neighbours::Table& table, netfilter::neighbours::Instant now);

}  // namespace schultor::enforce
