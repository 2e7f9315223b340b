// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <cstdint>

namespace schultor::bench {

/// What one tablet that asks 10,000 times a second, each name once, costs a thousand others that ask the gate on `port` 2,000
/// times a second together. Beside it the same without the flood: it then goes to a port where nobody reads, so that it costs the
/// load's core as much. Shows how many of the others' questions were lost, in all rounds.
void measure_flood(std::uint16_t port, std::size_t rounds, bool quick);

}  // namespace schultor::bench
