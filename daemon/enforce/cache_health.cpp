// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/cache_health.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace schultor::enforce {
namespace {

std::string_view remedy_of(cache::Unwell why) {
  switch (why) {
    case cache::Unwell::engine:
      return "see “systemctl status schultor-cache”";
    case cache::Unwell::configuration:
      return "see “journalctl -u schultor-origin”";
    case cache::Unwell::certificate:
      return "see “systemctl status schultor-certificates”";
    case cache::Unwell::storage:
      return "look at [cache] directory in gateway.toml";
    case cache::Unwell::no:
    case cache::Unwell::starting:
      break;
  }
  return "see “systemctl status schultor-origin”";
}

std::string text_of(bool connected, cache::Unwell why) {
  if (!connected) return "the content cache is not running: see “systemctl status schultor-origin”";
  const auto said = why == cache::Unwell::no ? cache::Unwell::starting : why;
  return fmt::format("{}: {}", to_string(said), remedy_of(said));
}

}  // namespace

std::vector<UnwellOrigin> unwell_origins(const policy::Policy& policy, const CacheHealth& health) {
  std::vector<UnwellOrigin> unwell;
  if (!policy.cache) return unwell;
  const auto& origins = policy.cache->origins;
  for (std::size_t i = 0; i < origins.size(); ++i)
    if (!health.connected || (health.origins.well >> i & 1U) == 0)
      unwell.push_back({origins[i].name, text_of(health.connected, health.origins.unwell.at(i))});
  return unwell;
}

std::string cache_fault_text(const policy::Policy& policy, const CacheHealth& health) {
  const auto unwell = unwell_origins(policy, health);
  if (unwell.empty()) return {};
  const bool alike = std::all_of(unwell.begin(), unwell.end(), [&](const auto& one) { return one.text == unwell[0].text; });
  std::vector<std::string> names;
  for (const auto& one : unwell) names.push_back(alike ? one.name : fmt::format("{} ({})", one.name, one.text));
  return fmt::format("the cache answers for {} of {} origins, the names of the others lead to the origins themselves: {}{}",
                     policy.cache->origins.size() - unwell.size(), policy.cache->origins.size(), fmt::join(names, ", "),
                     alike ? "; " + unwell[0].text : std::string());
}

}  // namespace schultor::enforce
