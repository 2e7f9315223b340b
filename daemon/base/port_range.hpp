// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::base {

/// Ports of one protocol, from `first` up to and with `last`.
struct PortRange {
  std::uint8_t protocol = 0;  ///< IPPROTO_TCP or IPPROTO_UDP
  std::uint16_t first = 0;
  std::uint16_t last = 0;

  auto operator<=>(const PortRange&) const = default;
};

/// "tcp 443", "udp 3478-3481"
[[nodiscard]] std::string to_string(const PortRange& range);

/// "443" or "3478-3481" of the protocol. Nothing where a port is not one of 1 to 65535 or has leading zeros, or the end is before
/// the start.
[[nodiscard]] std::optional<PortRange> parse_ports(std::uint8_t protocol, std::string_view text);
/// "tcp/22", "udp/3478-3481".
[[nodiscard]] std::optional<PortRange> parse_service(std::string_view text);

/// In their order; ranges that overlap or touch have become one. Ranges whose end is before their start are left out.
[[nodiscard]] std::vector<PortRange> merged(std::vector<PortRange> ranges);

/// How many ports there are in ranges that do not overlap.
[[nodiscard]] std::size_t count_ports(const std::vector<PortRange>& ranges);

}  // namespace schultor::base
