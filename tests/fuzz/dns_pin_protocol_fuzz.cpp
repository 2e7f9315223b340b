// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/pin_protocol.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

using namespace schultor::dns;

/// Whatever is understood is within its bounds, and is written as it was read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto packet = std::as_bytes(std::span(data, size));
  const auto message = decode(packet);
  if (!message) return 0;
  const auto again = encode(*message);
  if (!std::equal(again.begin(), again.end(), packet.begin(), packet.end())) std::abort();
  if (const auto* request = std::get_if<PinRequest>(&*message)) {
    if (request->entries.empty() || request->entries.size() > most_pins) std::abort();
    for (const auto& entry : request->entries)
      if (entry.doors == 0 || entry.lifetime.count() <= 0 || entry.lifetime > longest_lifetime) std::abort();
  }
  if (const auto* told = std::get_if<ViewStatistics>(&*message)) {
    if (told->views.empty() || told->views.size() > most_views_told) std::abort();
    for (const auto& one : told->views)
      if (one.view >= counted_views) std::abort();
  }
  if (const auto* told = std::get_if<GateStatistics>(&*message))
    if (told->statistics.since.time_since_epoch().count() < 0) std::abort();
  return 0;
}
