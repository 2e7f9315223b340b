// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <cstdint>

namespace schultor::policy {

/// Bits of places that an address may be pinned for: bit 0 is the cloud on its usual ports, bits 1 to 16 the cloud on the ports
/// of GateRules::cloud_ports, bit 17 + i the i-th listed profile in the order of GateRules::profiles.
using Doors = std::uint64_t;

/// Sets of ports that endpoint lists may give to names, the usual ones aside.
inline constexpr std::size_t most_port_classes = 16;
inline constexpr Doors cloud_door = 1;
inline constexpr Doors any_cloud_door = (Doors{2} << most_port_classes) - 1;
inline constexpr Doors first_listed_door = any_cloud_door + 1;
inline constexpr std::size_t most_listed_profiles = 64 - 1 - most_port_classes;

/// The door of the cloud on the ports of GateRules::cloud_ports[index].
[[nodiscard]] constexpr Doors port_class_door(std::size_t index) { return cloud_door << (index + 1); }

static_assert(most_listed_profiles == 47);

}  // namespace schultor::policy
