// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/planner/intent.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Intents that tests and benchmarks share.
namespace schultor::test {

inline base::Address address(std::string_view text) { return base::parse_address(text).value(); }
inline base::Prefix prefix(std::string_view text) { return base::parse_prefix(text).value(); }
inline base::Mac mac(std::string_view text) { return base::parse_mac(text).value(); }

/// Of a cloud name that no list says more of.
inline const std::vector<base::PortRange> usual_ports{{IPPROTO_TCP, 80, 80}, {IPPROTO_TCP, 443, 443}, {IPPROTO_UDP, 443, 443}};

/// A school with everything in it that a ruleset can hold: IPv4 and IPv6, ranges that touch and overlap, three profiles.
inline netfilter::planner::Intent school() {
  netfilter::planner::Intent intent;
  intent.lan_interfaces = {"lan0", "wlan0"};
  intent.devices = {{mac("02:77:00:00:00:01"), 1}, {mac("02:77:00:00:00:05"), 2}, {mac("02:77:00:00:00:07"), 3}};
  intent.prefixes = {{prefix("10.78.0.0/24"), 3}, {prefix("10.78.1.0/24"), 2}, {prefix("10.79.0.7"), 1}, {prefix("fd78::/64"), 3}};
  intent.links = {{"lan0", 4}, {"wlan0", 2}};
  intent.profiles = {
      {"school", true, 1, std::vector{prefix("192.0.2.0/25"), prefix("192.0.2.128/25"), prefix("2001:db8:bad::/48")}},
      {"leisure", false, 0, std::vector<base::Prefix>{}},
      {"exam-day", true, 2}};
  intent.profiles[0].closed = {{IPPROTO_TCP, 22, 22}, {IPPROTO_UDP, 443, 443}, {IPPROTO_UDP, 500, 500}};
  intent.profiles[2].closed.emplace();
  intent.inside = {prefix("10.0.0.0/8"), prefix("192.168.0.0/16"), prefix("fc00::/7")};
  intent.reachable = {prefix("192.168.5.0/24")};
  intent.masqueraded = {"wan0"};
  intent.management = {{prefix("10.9.0.0/24"), prefix("fd09::/64")}, {22, 443}};
  intent.groups = {{1, "school", 1, 7}, {2, "leisure", 2, 1}, {3, "leisure", 2, 65535}, {4, "exam-day", 3, 12}};
  intent.cloud_services = {
      {prefix("203.0.113.0/24"), IPPROTO_TCP, 80, 80},      {prefix("203.0.113.0/24"), IPPROTO_TCP, 443, 443},
      {prefix("203.0.113.64/26"), IPPROTO_UDP, 3478, 3481}, {prefix("203.0.113.0/24"), IPPROTO_UDP, 3480, 3480},
      {prefix("203.0.113.9"), IPPROTO_TCP, 443, 443},       {prefix("2001:db8:cafe::/48"), IPPROTO_TCP, 443, 443}};
  intent.never = {prefix("10.0.0.0/8"),  prefix("10.1.0.0/16"), prefix("11.0.0.0/8"),      prefix("198.51.100.53"),
                  prefix("240.0.0.0/4"), prefix("fc00::/7"),    prefix("2001:db8:51::53"), prefix("ff00::/8")};
  return intent;
}

/// So many groups in school mode, with so many tablets dealt out among them.
inline netfilter::planner::Intent large_school(std::size_t groups, std::size_t tablets) {
  netfilter::planner::Intent intent = school();
  intent.devices.clear();
  intent.groups.clear();
  for (std::size_t i = 1; i <= std::max<std::size_t>(groups, 4); ++i)
    intent.groups.push_back({static_cast<netfilter::planner::GroupNumber>(i), "school", 1, 1});
  for (std::size_t i = 0; i < tablets; ++i) {
    base::Mac mac;
    mac.octets = {2, 0x77, 0, static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
    intent.devices[mac] = static_cast<netfilter::planner::GroupNumber>(1 + i % std::max<std::size_t>(groups, 1));
  }
  return intent;
}

/// Of the n-th of many_pins(), in 198.18.0.0/15.
inline base::Address address_of_pin(std::size_t number) {
  const std::array<std::uint8_t, 4> octets{198, static_cast<std::uint8_t>(18 + (number >> 16)),
                                           static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
  return base::address_from_bytes(octets);
}

/// Up to 131,072 pins for an hour: those of even numbers of the profile "school", the others of the cloud on its usual ports.
inline std::vector<netfilter::planner::Pin> many_pins(std::size_t count) {
  std::vector<netfilter::planner::Pin> pins;
  for (std::size_t i = 0; i < count; ++i)
    pins.push_back({address_of_pin(i), i % 2 == 0 ? "school" : "", std::chrono::hours(1), usual_ports});
  return pins;
}

}  // namespace schultor::test
