// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/gate_switches.hpp"

#include <algorithm>

namespace schultor::enforce {

dns::Switches switches_of(const policy::Policy& policy, const Numbers& numbers, const Moment& moment, base::Instant wall,
                          std::chrono::steady_clock::time_point monotonic) {
  std::map<std::uint32_t, dns::Switches::Instant> first;
  for (std::size_t i = 0; i < policy.groups.size(); ++i) {
    const auto& span = moment.spans[i];
    if (!span.until) continue;
    const auto view = numbers.views.find(view_key(span.holding.profile, steers(policy.groups[i])));
    if (view == numbers.views.end()) continue;
    const auto at = monotonic + std::chrono::duration_cast<dns::Switches::Instant::duration>(*span.until - wall);
    const auto [entry, fresh] = first.try_emplace(view->second, at);
    if (!fresh) entry->second = std::min(entry->second, at);
  }
  dns::Switches switches;
  for (const auto& [view, at] : first) switches.views.push_back({view, at});
  if (switches.views.size() <= dns::most_switches) return switches;
  // Too many to be told apart: the earliest of them holds for all.
  for (const auto& one : switches.views) switches.others = std::min(switches.others, one.at);
  switches.views.clear();
  return switches;
}

}  // namespace schultor::enforce
