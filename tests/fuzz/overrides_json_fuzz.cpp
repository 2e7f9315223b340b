// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// Overrides as they are read from disk; what is accepted is written as it was read.
#include "daemon/policy/override.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace schultor::policy;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto kept = overrides_from_json({reinterpret_cast<const char*>(data), size});
  if (!kept) return 0;
  for (const auto& one : kept->overrides)
    if (one.id > kept->last_id || one.until <= one.from || one.reason.size() > longest_reason) std::abort();
  if (kept->told.size() > most_told) std::abort();
  for (const auto& one : kept->overrides)
    if (const auto* held = override_at(kept->overrides, one.group.value_or("x"), one.from);
        held != nullptr && held->profile.empty())
      std::abort();
  const auto back = overrides_from_json(to_json(*kept));
  if (!back || !(*back == *kept)) std::abort();
  return 0;
}
