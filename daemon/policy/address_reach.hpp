// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"

#include <cstdint>
#include <span>

/// Where an address leads, seen from the school.
namespace schultor::policy {

enum class Reach : std::uint8_t {
  outside,  ///< global and unicast (RFC 6890), and not of the school's own networks
  inside,   ///< of the school's own or another private network: handed out for local zones alone
  nowhere,  ///< loopback, link-local, multicast, reserved, a tunnel to any of these, or the gateway itself: never handed out
};

/// `lan`: the gateway's addresses with their networks.
[[nodiscard]] Reach reach_of(std::span<const base::InterfaceAddress> lan, const base::Address& address);

}  // namespace schultor::policy
