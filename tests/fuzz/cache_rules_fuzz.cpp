// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// The rules as the content cache reads them.
#include "daemon/base/text.hpp"
#include "daemon/policy/cache_rules.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace schultor::policy;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto rules = cache_rules_from_json({reinterpret_cast<const char*>(data), size});
  if (!rules) return 0;
  const auto text = to_json(*rules);
  const auto back = cache_rules_from_json(text);
  if (!back || to_json(*back) != text) std::abort();
  if (rules->origins.size() > most_origins || !schultor::base::is_plain_path(rules->directory, longest_cache_directory))
    std::abort();
  for (const auto& origin : rules->origins)
    if (!is_origin_name(origin.name) || origin.hosts.empty() || (!origin.http && !origin.https)) std::abort();
  return 0;
}
