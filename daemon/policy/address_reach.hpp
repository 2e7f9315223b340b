// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"

#include <cstdint>
#include <span>
#include <vector>

/// Where an address leads, seen from the school.
namespace schultor::policy {

enum class Reach : std::uint8_t {
  outside,  ///< global and unicast (RFC 6890), and not of the school's own networks
  inside,   ///< of the school's own or another private network: handed out for local zones alone
  nowhere,  ///< loopback, link-local, multicast, reserved, a tunnel to any of these, or the gateway itself: never handed out
};

/// Whether no device sends from any address of the network: unspecified, loopback, multicast or reserved ones, and IPv4's as IPv6
/// writes them (::ffff:10.0.0.1).
[[nodiscard]] bool is_nobodys(const base::Prefix& network);

/// `lan`: the gateway's addresses with their networks.
[[nodiscard]] Reach reach_of(std::span<const base::InterfaceAddress> lan, const base::Address& address);

/// Networks that lead inside or nowhere, as ranges: the school's own, private and special ones, and what tunnels make of these. Of
/// IPv6, what lies outside of 2000::/3 and is nobody's is left out: no router knows it.
[[nodiscard]] std::vector<base::Prefix> networks_inside(std::span<const base::InterfaceAddress> lan);

}  // namespace schultor::policy
