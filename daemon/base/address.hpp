// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace schultor::base {

/// An IEEE 802 MAC-48 address, in transmission order.
struct Mac {
  std::array<std::uint8_t, 6> octets{};

  auto operator<=>(const Mac&) const = default;
};

/// Reads the usual spellings: "02:77:00:00:00:01", "02-77-…", "0277.0000.0001", "027700000001".
Result<Mac> parse_mac(std::string_view text);
/// Lower case, with colons.
std::string to_string(const Mac& mac);
/// Set by software rather than by the maker: the "locally administered" bit, as randomised addresses have it.
[[nodiscard]] constexpr bool is_locally_administered(const Mac& mac) { return (mac.octets[0] & 0x02U) != 0; }

enum class Family : std::uint8_t { ipv4 = 4, ipv6 = 6 };

/// An IPv4 or IPv6 address in network byte order. An IPv4 address uses the first
/// four octets, the others are zero, so that comparison is plain.
struct Address {
  Family family = Family::ipv4;
  std::array<std::uint8_t, 16> octets{};

  auto operator<=>(const Address&) const = default;
  /// The 4 or 16 octets that go on the wire.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {octets.data(), family == Family::ipv4 ? 4U : 16U}; }
};

Result<Address> parse_address(std::string_view text);
std::string to_string(const Address& address);
/// From 4 or 16 octets in network order; any other length is a programming error (asserted).
Address address_from_bytes(std::span<const std::uint8_t> bytes);

/// A network: the address's bits beyond `length` are zero.
struct Prefix {
  Address address;
  std::uint8_t length = 0;

  auto operator<=>(const Prefix&) const = default;
};

/// "10.78.0.0/24", "fd77::/64", or a bare address for a host. Host bits that are
/// set are an error, since they mostly are a typing mistake.
Result<Prefix> parse_prefix(std::string_view text);
std::string to_string(const Prefix& prefix);
[[nodiscard]] bool contains(const Prefix& prefix, const Address& address);
/// The network of `length` bits that holds the address.
[[nodiscard]] Prefix network_of(const Address& address, std::uint8_t length);
/// The last address of the network.
[[nodiscard]] Address last_address(const Prefix& prefix);

/// An address of an interface with the length of its network, "10.77.0.1/16": host bits are kept.
struct InterfaceAddress {
  Address address;
  std::uint8_t length = 0;

  auto operator<=>(const InterfaceAddress&) const = default;
};
Result<InterfaceAddress> parse_interface_address(std::string_view text);
std::string to_string(const InterfaceAddress& address);

/// An address and a port: "127.0.0.1:5335", "[::1]:5335".
struct Endpoint {
  Address address;
  std::uint16_t port = 0;

  auto operator<=>(const Endpoint&) const = default;
};
Result<Endpoint> parse_endpoint(std::string_view text);
std::string to_string(const Endpoint& endpoint);

}  // namespace schultor::base
