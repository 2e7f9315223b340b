// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/message.hpp"

#include <algorithm>
#include <array>

namespace schultor::dns {
namespace {

struct Network4 {
  std::uint32_t network;
  unsigned length;
};
/// RFC 6890, what is not global and unicast. The documentation networks are left out: nothing lives there but test beds.
constexpr std::array not_public4{
    Network4{0x00000000, 8},  Network4{0x0a000000, 8},  Network4{0x64400000, 10}, Network4{0x7f000000, 8},
    Network4{0xa9fe0000, 16}, Network4{0xac100000, 12}, Network4{0xc0000000, 24}, Network4{0xc0a80000, 16},
    Network4{0xc6120000, 15}, Network4{0xe0000000, 3},
};

std::uint32_t number_of(std::span<const std::uint8_t, 4> octets) {
  return std::uint32_t{octets[0]} << 24U | std::uint32_t{octets[1]} << 16U | std::uint32_t{octets[2]} << 8U | octets[3];
}

bool is_public4(std::uint32_t address) {
  return std::none_of(not_public4.begin(), not_public4.end(),
                      [&](const Network4& entry) { return (address ^ entry.network) >> (32U - entry.length) == 0; });
}

bool is_public6(const std::array<std::uint8_t, 16>& octets) {
  // RFC 6052, 64:ff9b::/96: what a NAT64 makes of it decides.
  constexpr std::array<std::uint8_t, 12> nat64{0x00, 0x64, 0xff, 0x9b};
  if (std::equal(nat64.begin(), nat64.end(), octets.begin())) return is_public4(number_of(std::span(octets).last<4>()));
  const bool global_unicast = (octets[0] & 0xe0U) == 0x20U;
  // 6to4 and Teredo lead to any IPv4 address, also one inside.
  const bool six_to_four = octets[0] == 0x20 && octets[1] == 0x02;
  const bool teredo = octets[0] == 0x20 && octets[1] == 0x01 && octets[2] == 0 && octets[3] == 0;
  return global_unicast && !six_to_four && !teredo;
}

}  // namespace

bool is_public(const base::Address& address) {
  if (address.family == base::Family::ipv4) return is_public4(number_of(std::span(address.octets).first<4>()));
  return is_public6(address.octets);
}

}  // namespace schultor::dns
