// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// Cache-Control as a stranger writes it: whatever hides no-store from the directives' reader would store what is not to be.
#include "daemon/cache/cache_control.hpp"
#include "daemon/cache/header_fields.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace schultor::cache;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto control = read_cache_control(text);
  for (const auto& time : {control.max_age, control.s_maxage, control.stale_if_error, control.stale_while_revalidate})
    if (time && (*time < std::chrono::seconds{0} || *time > longest_delta)) std::abort();
  // A directive before all others counts whatever follows, and makes no other one uncounted.
  const auto with = read_cache_control("no-store, " + std::string(text));
  auto expected = control;
  expected.no_store = true;
  if (!(with == expected)) std::abort();
  for (const auto member : list_members(text))
    if (member.empty() || trimmed(member) != member) std::abort();
  return 0;
}
