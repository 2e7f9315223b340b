// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/round_trip.hpp"

#include "daemon/dns/limits.hpp"

#include <algorithm>

namespace schultor::dns {

// The gains of RFC 6298, section 2.
void RoundTrip::measured(Duration took) {
  if (!smoothed_) {
    smoothed_ = took;
    variation_ = took / 2;
    return;
  }
  variation_ += (std::chrono::abs(*smoothed_ - took) - variation_) / 4;
  *smoothed_ += (took - *smoothed_) / 8;
}

RoundTrip::Duration RoundTrip::retry_after() const {
  if (!smoothed_) return limits::upstream_retry_most;
  return std::clamp<Duration>(*smoothed_ + 4 * variation_, limits::upstream_retry_least, limits::upstream_retry_most);
}

}  // namespace schultor::dns
