// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/outside.hpp"

#include <algorithm>
#include <array>

namespace schultor::cache {
namespace {

using base::Address;
using base::Family;
using base::Prefix;

constexpr Prefix ipv4(std::uint8_t first, std::uint8_t second, std::uint8_t length) {
  return {{Family::ipv4, {first, second}}, length};
}
constexpr Prefix ipv6(std::uint8_t first, std::uint8_t second, std::uint8_t length) {
  return {{Family::ipv6, {first, second}}, length};
}

/// Whatever the rules say: this host, loopback, link-local, multicast and reserved. ::/8 holds the unspecified address and
/// loopback.
constexpr std::array never = {ipv4(0, 0, 8), ipv4(127, 0, 8),      ipv4(169, 254, 16), ipv4(224, 0, 3),
                              ipv6(0, 0, 8), ipv6(0xfe, 0x80, 10), ipv6(0xff, 0, 8)};

bool is_mapped(const Address& address) {
  constexpr std::array<std::uint8_t, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return address.family == Family::ipv6 && std::equal(mapped.begin(), mapped.end(), address.octets.begin());
}

}  // namespace

bool is_outside(const Address& address, std::span<const Prefix> inside) {
  if (is_mapped(address)) return is_outside(base::address_from_bytes(address.bytes().subspan(12)), inside);
  const auto holds = [&](const Prefix& prefix) { return base::contains(prefix, address); };
  return std::none_of(never.begin(), never.end(), holds) && std::none_of(inside.begin(), inside.end(), holds);
}

}  // namespace schultor::cache
