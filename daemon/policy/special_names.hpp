// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/policy/gate_rules.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Names whose meaning is not the internet's to give (RFC 6761, RFC 6303): no profile opens or closes them.
namespace schultor::policy {

/// The box itself, for whoever sits before a tablet.
inline constexpr std::string_view gateway_name = "schultor.internal";

enum class Special : std::uint8_t {
  gateway,       ///< the gateway's name: its addresses
  gateway_host,  ///< the reverse of one of its addresses: its name
  loopback,      ///< localhost and all below it
  empty,         ///< exists, and holds nothing
  absent,        ///< does not exist
  unqualified,   ///< a single label, or the root: never asked of the resolver
};

struct SpecialName {
  Special kind = Special::absent;
  std::string_view rule;  ///< the zone or document that says so; lives for ever
};

/// `name`: lower case, no trailing dot. Names in GateRules::local are none, but for the first three kinds.
[[nodiscard]] std::optional<SpecialName> special_name(const GateRules& rules, std::string_view name);

/// As "1.0.77.10.in-addr.arpa".
[[nodiscard]] std::string reverse_name(const base::Address& address);

}  // namespace schultor::policy
