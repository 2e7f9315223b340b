// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "tests/bench/forward/gateways.hpp"

#include <cstddef>

namespace schultor::bench {

struct Stream {
  double gbit_per_second = 0;
  double cpu_ms_per_gb = 0;  ///< of both ends and the way between them
};

/// So many octets over one new connection of TCP from a device to a pinned address: the sender on the first core, the receiver on
/// the last. `aggregated`: in packets of up to 64 kB, as the kernel makes them of a connection; else each segment is a packet.
[[nodiscard]] Stream measure_stream(const Gateway& gateway, std::size_t octets, bool aggregated);

}  // namespace schultor::bench
