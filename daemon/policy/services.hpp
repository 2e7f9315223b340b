// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/config.hpp"
#include "daemon/policy/policy.hpp"

/// Ports that lead round the gate whatever name or address they are of.
namespace schultor::policy {

/// Closed in listed profiles, and in all with [never] bypass = true: what VPNs, Tor, proxies and encrypted DNS use by themselves.
[[nodiscard]] const Ports& bypass_services();
/// Closed in listed profiles: QUIC, so that browsers fall back to what can be told apart, and SSH.
[[nodiscard]] const Ports& listed_services();

[[nodiscard]] bool overlap(const base::PortRange& one, const base::PortRange& other);

/// What is closed in a profile that opens none of it; empty: nothing.
[[nodiscard]] Ports closed_unless_opened(bool listed, bool bypass);

/// What is closed in the profile; none where it closes nothing. A service that a profile of the school's opens although the city
/// closes it goes to the diagnostics.
[[nodiscard]] std::optional<Ports> closed_services(const config::Profile& profile, bool of_city, bool bypass,
                                                   config::Diagnostics& out);

}  // namespace schultor::policy
