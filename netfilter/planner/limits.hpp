// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/model/ruleset.hpp"

#include <vector>

/// What one device may do at most, so that it costs no other its cloud.
///
/// A device is known by its MAC address, whatever addresses it takes. In a network behind a router (`routed4/6`), where the
/// router's is all that is seen, it is known by its own. The kernel counts; nobody reads that, and it is gone with the device.
namespace schultor::netfilter::planner {

/// Open connections of a device: as many to the cloud, as many elsewhere.
inline constexpr std::uint32_t most_connections = 1000;
/// Pings of a device in a second: enough to see whether a server is there, little to talk through.
inline constexpr std::uint32_t most_echoes = 10;
/// Resets to a device in a second, and as many ICMP errors: who hammers with datagrams still hears that a connection has ended.
inline constexpr std::uint32_t most_refusals = 100;
/// Packets of a device to the DNS gate in a second; the gate's own share of an address is below that.
inline constexpr std::uint32_t most_questions = 2000;

/// "limit_connections", "limit_cloud_connections", "limit_echoes", "limit_resets", "limit_errors", "limit_questions": to be jumped
/// to, they return for whoever keeps to the limit.
[[nodiscard]] std::vector<model::Chain> limit_chains();
[[nodiscard]] std::vector<model::SetDeclaration> limit_sets();

}  // namespace schultor::netfilter::planner
