// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/policy/override.hpp"
#include "daemon/policy/policy.hpp"

#include <string>

/// What holds where no instant says what does: the strictest before there is a network, the widest during a stop for service. Pure.
namespace schultor::policy {

/// Of all profiles that the group may be in, the strictest: those of its schedule, or its fixed one; what holds while the clock is
/// not known to be right; and those of `overrides`, whether they have ended or not. The unknown group is held to what school-owned
/// groups are held to, unless it says `strictest = false`. See stricter().
[[nodiscard]] std::string strictest_profile(const Policy& policy, const Group& group, const Overrides& overrides);

/// The city's open profile that blocks least; null where it has none, for which on_stop = "open" is an error.
[[nodiscard]] const ProfileNames* widest_profile(const Policy& policy);

}  // namespace schultor::policy
