// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/base/wall_clock.hpp"
#include "daemon/policy/gate_rules.hpp"
#include "netfilter/planner/intent.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The cloud's pins as they are kept on disk, for a machine that starts anew: addresses of servers with their ports, no names and
/// nothing of who asked. Pure.
namespace schultor::enforce {

/// Of addresses with their ports; those that live longest are kept.
inline constexpr std::size_t most_kept_pins = 100'000;
/// Of single ports of all addresses together.
inline constexpr std::size_t most_kept_ports = 400'000;
/// What is left of a pin whose age nobody knows.
inline constexpr std::chrono::seconds grace_without_clock{3600};

/// An element of the kernel's sets of cloud pins.
struct OpenPort {
  base::Address address;
  std::uint8_t protocol = 0;  ///< IPPROTO_TCP or IPPROTO_UDP
  std::uint16_t port = 0;
  std::chrono::seconds left{0};

  auto operator<=>(const OpenPort&) const = default;
};

struct KeptPins {
  std::chrono::sys_seconds written;
  bool clock_trusted = false;  ///< whether `written` could be believed
  /// The cloud's, with the time that was left to them then. By their ports, then by address and time.
  std::vector<netfilter::planner::Pin> pins;

  bool operator==(const KeptPins&) const = default;
};

/// `open`: in any order, also twice. Ports of an address that end within a minute of each other become one pin, and end with the
/// first of them.
[[nodiscard]] KeptPins kept_pins_of(std::chrono::sys_seconds written, bool clock_trusted, std::vector<OpenPort> open);

/// "cloud-pins 1", "written SECONDS trusted|untrusted", then for each list of ports "open tcp 80, tcp 443" and a line "ADDRESS
/// SECONDS-LEFT" for each pin, then "end COUNT".
[[nodiscard]] std::string to_text(const KeptPins& kept);
/// Strict, and bounded: refuses what to_text() does not write.
[[nodiscard]] base::Result<KeptPins> kept_pins_from_text(std::string_view text);

/// What is to be opened again at `now`: on ports that names of the cloud still have, where the address may be opened at all. What
/// is left to a pin is never more than it was when it was written; where a clock was or is not to be believed, or was set back,
/// it is `grace_without_clock` at most.
[[nodiscard]] std::vector<netfilter::planner::Pin> pins_left(const KeptPins& kept, const policy::GateRules& rules,
                                                             base::Instant now, bool clock_trusted);

}  // namespace schultor::enforce
