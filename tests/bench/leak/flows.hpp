// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"
#include "daemon/base/unique_fd.hpp"
#include "tests/bench/lib/three_hosts.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

/// Open connections of many tablets.
namespace schultor::bench {

enum class Destination : std::uint8_t { game, cloud, learning };

struct Flow {
  Destination to = Destination::game;
  base::Family family = base::Family::ipv4;
  bool tcp = true;
  bool server_first = false;  ///< who speaks next
  std::size_t tablet = 0;
  base::UniqueFd near, far;  ///< the tablet's end and the server's, connected, non-blocking

  [[nodiscard]] int speaker() const { return server_first ? far.get() : near.get(); }
  [[nodiscard]] int listener() const { return server_first ? near.get() : far.get(); }
};

[[nodiscard]] base::Address address_of(Destination destination, base::Family family);
[[nodiscard]] base::Mac mac_of_tablet(std::size_t tablet);
/// Servers of UDP listen on a port each from here on; those of TCP on 443.
inline constexpr std::uint16_t first_udp_port = 20'000, last_udp_port = 29'999;

/// Tablets with an address of each family and a MAC of its own: macvlan devices of the school's one cable, to which their
/// sockets are bound. And the servers' addresses in the internet.
void plug_in(const ThreeHosts& hosts, std::size_t tablets);

/// Opens so many flows, dealt out among the tablets, of all kinds: TCP and UDP, IPv4 and IPv6, whoever speaks next; three of five
/// to the game. Each has carried an octet either way.
[[nodiscard]] std::vector<Flow> open_flows(const ThreeHosts& hosts, std::size_t tablets, std::size_t flows);

}  // namespace schultor::bench
