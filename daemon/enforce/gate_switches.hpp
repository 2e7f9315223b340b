// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/pin_protocol.hpp"
#include "daemon/enforce/moment.hpp"

#include <chrono>

namespace schultor::enforce {

/// When each view's groups next change, for the gate. `wall` and `monotonic` are one instant on both clocks. Pure.
[[nodiscard]] dns::Switches switches_of(const policy::Policy& policy, const Numbers& numbers, const Moment& moment,
                                        base::Instant wall, std::chrono::steady_clock::time_point monotonic);

}  // namespace schultor::enforce
