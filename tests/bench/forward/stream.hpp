// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "tests/bench/forward/gateways.hpp"

#include <cstddef>
#include <cstdint>

namespace schultor::bench {

struct Stream {
  double gbit_per_second = 0;
  double cpu_ms_per_gb = 0;  ///< of both ends and the way between them
};

enum class Cores : std::uint8_t {
  one,  ///< one thread sends until nothing more fits and then receives: no core wakes another, and CPU time is what it costs
  two,  ///< the sender on the first core and the receiver on the last
};

/// So many octets over one new connection of TCP from a device to a pinned address, in packets of up to 64 kB as the kernel makes
/// them of a connection.
[[nodiscard]] Stream measure_stream(const Gateway& gateway, std::size_t octets, Cores cores);

}  // namespace schultor::bench
