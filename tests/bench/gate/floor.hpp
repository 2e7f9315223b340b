// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>

/// The least that any server on UDP costs, and an upstream that costs as little.
namespace schultor::bench {

/// Sends each packet back with QR set, 32 a system call; does not return.
[[noreturn]] void echo(std::uint16_t port);
/// Answers each question with one A record made from a hash of its octets (11.0.0.0/8), TTL 300; does not return.
[[noreturn]] void answer_all(std::uint16_t port);

}  // namespace schultor::bench
