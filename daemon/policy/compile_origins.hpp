// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/load.hpp"
#include "daemon/policy/policy.hpp"

namespace schultor::policy {

/// Makes Policy::cache and GateRules::steered of [cache] and the [[origin]]s of city and school. To be called when the cloud and
/// the box's networks are known. `unread`: what a file that could not be read says is not missed.
void compile_origins(const config::Config& config, const config::Unread& unread, Policy& policy, config::Diagnostics& out);

}  // namespace schultor::policy
