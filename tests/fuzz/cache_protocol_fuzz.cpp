// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/cache_protocol.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

using namespace schultor::cache;

/// Whatever is understood is within its bounds, and is written as it was read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto packet = std::as_bytes(std::span(data, size));
  const auto message = decode(packet);
  if (!message) return 0;
  const auto again = encode(*message);
  if (!std::equal(again.begin(), again.end(), packet.begin(), packet.end())) std::abort();
  if (const auto* health = std::get_if<Health>(&*message))
    for (std::size_t i = 0; i < health->unwell.size(); ++i)
      if (to_string(health->unwell[i]).empty() || ((health->well >> i & 1U) != 0 && health->unwell[i] != Unwell::no)) std::abort();
  return 0;
}
