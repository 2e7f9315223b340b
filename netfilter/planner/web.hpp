// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/model/ruleset.hpp"
#include "netfilter/planner/intent.hpp"

#include <cstdint>
#include <vector>

/// Who reaches which port of what answers on the box's own addresses. The ports themselves are nobody's to ask for: who may speak
/// to which is decided by the device's group.
namespace schultor::netfilter::planner {

inline constexpr std::uint16_t web_port = 8080;
inline constexpr std::uint16_t tls_port = 8443;          ///< TLS ends here
inline constexpr std::uint16_t passthrough_port = 8444;  ///< TLS is passed on by its server name

[[nodiscard]] std::vector<model::Chain> web_chains();
[[nodiscard]] std::vector<model::Set> web_sets(const Web& web);
/// Of the input chain, for connections that redirect_web sent there.
[[nodiscard]] model::Rule take_web();

}  // namespace schultor::netfilter::planner
