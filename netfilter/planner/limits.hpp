// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/model/ruleset.hpp"
#include "netfilter/planner/plan.hpp"

#include <chrono>
#include <string>
#include <vector>

/// What one device may do at most, so that it costs no other its cloud.
///
/// A device is known by its MAC address, whatever addresses it takes. In a network behind a router (`routed4/6`), where the
/// router's is all that is seen, it is known by its own. The kernel counts; nobody reads that, and it is gone with the device.
///
/// Those that the roster names are counted in sets of their own, which no made-up address fills. All others, strangers, are bounded
/// together as well: each interface's by a rate, and all of them while the table of connections is filling (`crowd`).
namespace schultor::netfilter::planner {

/// Open connections of a device: as many to the cloud, as many elsewhere, as many to the box itself.
inline constexpr std::uint32_t most_connections = 1000;
/// Likewise of a stranger. The kernel looks through a device's connections at each new one, so that a thousand MAC addresses with a
/// thousand each would cost a processor.
inline constexpr std::uint32_t most_connections_of_stranger = 250;
/// New connections in a second of all strangers of an interface, and of those behind routers there; five times as many at once.
inline constexpr std::uint32_t most_new_of_strangers = 2000;
/// Pings of a device in a second: enough to see whether a server is there, little to talk through.
inline constexpr std::uint32_t most_echoes = 10;
/// Resets to a device in a second, and as many ICMP errors: who hammers with datagrams still hears that a connection has ended.
inline constexpr std::uint32_t most_refusals = 100;
/// Packets of a device to the DNS gate in a second; the gate's own share of an address is below that.
inline constexpr std::uint32_t most_questions = 2000;
/// Messages of a device in a second about neighbours and routers.
inline constexpr std::uint32_t most_link_messages = 100;

/// Addresses that a device takes: so many at once, and one more in each second. The box looks for the neighbour behind every
/// address that it answers, and remembers it. With IPv6 an honest device has some ten at a time, and takes others once a day (RFC
/// 8981).
inline constexpr std::uint32_t most_addresses = 32;
/// Of all strangers of an interface together, in a second; twenty seconds' worth at once.
inline constexpr std::uint32_t most_new_addresses_of_strangers = 100;
/// What a device has shown itself by counts as its own for so long.
inline constexpr std::chrono::minutes addresses_kept{10};

/// "limit_connections", "limit_cloud_connections", "limit_box_connections": of new connections. "limit_echoes", "limit_resets",
/// "limit_errors", "limit_questions", "limit_link_messages": of packets. "limit_addresses": of whatever is going to be answered. To
/// be jumped to, they return for whoever keeps to the limit.
[[nodiscard]] std::vector<model::Chain> limit_chains();
[[nodiscard]] std::vector<model::SetDeclaration> limit_sets();

/// Strangers on these interfaces begin no connection for so long, and go on with those that they have. To be said again before it
/// is over: whoever says it may end.
[[nodiscard]] Plan crowd(const std::vector<std::string>& interfaces, std::chrono::milliseconds lifetime);

}  // namespace schultor::netfilter::planner
