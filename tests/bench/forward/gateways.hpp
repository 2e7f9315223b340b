// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"
#include "netfilter/kernel/connection.hpp"
#include "tests/bench/lib/three_hosts.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

/// Gateways with different rules, between a school and an internet of their own each.
namespace schultor::bench {

inline constexpr std::size_t devices = 10'000, pins = 100'000;

/// Each is known by this MAC and this address, and is of a group that is in school mode.
[[nodiscard]] base::Mac mac_of_device(std::size_t device);
[[nodiscard]] base::Address address_of_device(std::size_t device);
/// Those of even numbers are of the listed profile "school".
[[nodiscard]] base::Address address_of_pin(std::size_t pin);
inline constexpr std::size_t school_pins = pins / 2;
[[nodiscard]] inline base::Address address_of_school_pin(std::size_t number) { return address_of_pin(2 * number); }

struct Gateway {
  std::string name;
  bool filters = false;      ///< refuses what is not pinned
  bool masquerades = false;  ///< devices are behind the address of its wan0
  ThreeHosts hosts{};
  std::optional<netfilter::kernel::Connection> owner{};  ///< of a table that goes with its socket
};

/// A router without a rule, which knows of no connection; a gateway with an empty ruleset, which follows connections and
/// masquerades IPv4, as any school's has to, and judges nothing; the product's ruleset; and, with `peers`, iptables with ipset at
/// the same job. In each the school is a host that all devices live in, by a route; the internet has all pinned addresses.
[[nodiscard]] std::vector<Gateway> make_gateways(bool peers);
/// Where they stand among them.
inline constexpr std::size_t router = 0, empty = 1, product = 2;

}  // namespace schultor::bench
