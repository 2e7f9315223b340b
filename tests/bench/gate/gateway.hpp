// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <string>

/// schultord's side of the gate without a school: rules, sockets, and pins in the kernel of this network namespace.
namespace schultor::bench {

inline constexpr std::uint32_t school_view = 1;   ///< lernen.test is listed: its addresses are pinned
inline constexpr std::uint32_t leisure_view = 2;  ///< open: everything else has no door, and is not pinned

/// Serves the gate on `socket_path`, which answers on `port`; does not return. What the lists of `table` (a file, if any) hold is
/// refused in the leisure view.
/// schultord's stand-in. On SIGHUP it takes the table that lies there now, and the gate gets it with new rules.
[[noreturn]] void serve_gate(const std::string& socket_path, std::uint16_t port, const std::string& table);

}  // namespace schultor::bench
