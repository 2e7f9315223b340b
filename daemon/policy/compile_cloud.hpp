// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/config.hpp"
#include "daemon/policy/policy.hpp"

namespace schultor::policy {

/// The cloud of a policy: [cloud] domains on the usual ports, and the names and addresses of its endpoint lists on theirs.
void compile_cloud(const config::City& city, Policy& policy, config::Diagnostics& out);

}  // namespace schultor::policy
