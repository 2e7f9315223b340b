// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/address_reach.hpp"

#include "daemon/base/networks.hpp"

#include <algorithm>
#include <array>

namespace schultor::policy {
namespace {

struct Network4 {
  std::uint32_t network;
  unsigned length;
};
constexpr std::array private4{Network4{0x0a000000, 8}, Network4{0x64400000, 10}, Network4{0xac100000, 12},
                              Network4{0xc0a80000, 16}};
/// RFC 6890, what is neither global and unicast nor private. The documentation networks are left out: nothing lives there but
/// test beds.
constexpr std::array nowhere4{Network4{0x00000000, 8},  Network4{0x7f000000, 8},  Network4{0xa9fe0000, 16},
                              Network4{0xc0000000, 24}, Network4{0xc6120000, 15}, Network4{0xe0000000, 3}};

/// RFC 6052, 64:ff9b::/96
constexpr std::array<std::uint8_t, 12> nat64{0x00, 0x64, 0xff, 0x9b};

std::uint32_t number_of(std::span<const std::uint8_t, 4> octets) {
  return std::uint32_t{octets[0]} << 24U | std::uint32_t{octets[1]} << 16U | std::uint32_t{octets[2]} << 8U | octets[3];
}

template <std::size_t N>
bool within(const std::array<Network4, N>& networks, std::uint32_t address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Network4& entry) { return (address ^ entry.network) >> (32U - entry.length) == 0; });
}

Reach reach4(std::uint32_t address) {
  if (within(nowhere4, address)) return Reach::nowhere;
  return within(private4, address) ? Reach::inside : Reach::outside;
}

Reach reach6(const std::array<std::uint8_t, 16>& octets) {
  // What a NAT64 makes of it decides, and a private network behind one is nobody's.
  if (std::equal(nat64.begin(), nat64.end(), octets.begin()))
    return reach4(number_of(std::span(octets).last<4>())) == Reach::outside ? Reach::outside : Reach::nowhere;
  if ((octets[0] & 0xfeU) == 0xfcU) return Reach::inside;
  const bool global_unicast = (octets[0] & 0xe0U) == 0x20U;
  // 6to4 and Teredo lead to any IPv4 address, also one inside.
  const bool six_to_four = octets[0] == 0x20 && octets[1] == 0x02;
  const bool teredo = octets[0] == 0x20 && octets[1] == 0x01 && octets[2] == 0 && octets[3] == 0;
  return global_unicast && !six_to_four && !teredo ? Reach::outside : Reach::nowhere;
}

bool same_network(const base::InterfaceAddress& own, const base::Address& address) {
  if (own.address.family != address.family) return false;
  const unsigned whole = own.length / 8U;
  if (!std::equal(own.address.octets.begin(), own.address.octets.begin() + whole, address.octets.begin())) return false;
  const unsigned rest = own.length % 8U;
  return rest == 0 || (own.address.octets.at(whole) ^ address.octets.at(whole)) >> (8U - rest) == 0;
}

}  // namespace

bool is_nobodys(const base::Prefix& network) {
  static const std::vector<base::Prefix> nobodys = [] {
    std::vector<base::Prefix> networks;
    for (const auto* text : {"0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/96", "::ffff:0:0/96", "ff00::/8"})
      networks.push_back(base::parse_prefix(text).value());
    return networks;
  }();
  return std::any_of(nobodys.begin(), nobodys.end(), [&](const auto& whole) { return base::contains(whole, network); });
}

Reach reach_of(std::span<const base::InterfaceAddress> lan, const base::Address& address) {
  const auto alone =
      address.family == base::Family::ipv4 ? reach4(number_of(std::span(address.octets).first<4>())) : reach6(address.octets);
  if (alone == Reach::nowhere) return alone;
  auto reach = alone;
  for (const auto& own : lan) {
    if (own.address == address) return Reach::nowhere;
    if (same_network(own, address)) reach = Reach::inside;
  }
  return reach;
}

std::vector<base::Prefix> networks_inside(std::span<const base::InterfaceAddress> lan) {
  std::vector<base::Prefix> networks;
  const auto add = [&](std::span<const std::uint8_t> octets, unsigned length) {
    networks.push_back({base::address_from_bytes(octets), static_cast<std::uint8_t>(length)});
  };
  const auto add_private = [&](const Network4& network) {
    std::array<std::uint8_t, 4> octets{};
    for (unsigned i = 0; i < 4; ++i) octets.at(i) = static_cast<std::uint8_t>(network.network >> (24U - 8U * i));
    add(octets, network.length);
    std::array<std::uint8_t, 16> behind_nat64{};
    std::copy(nat64.begin(), nat64.end(), behind_nat64.begin());
    std::copy(octets.begin(), octets.end(), behind_nat64.begin() + nat64.size());
    add(behind_nat64, 8 * static_cast<unsigned>(nat64.size()) + network.length);
  };
  for (const auto& network : private4) add_private(network);
  for (const auto& network : nowhere4) add_private(network);
  for (const auto* text : {"::/96", "::ffff:0:0/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2002::/16", "fc00::/7",
                           "fe80::/10", "fec0::/10", "ff00::/8"})
    networks.push_back(base::parse_prefix(text).value());
  for (const auto& own : lan) networks.push_back(base::network_of(own.address, own.length));
  return networks;
}

}  // namespace schultor::policy
