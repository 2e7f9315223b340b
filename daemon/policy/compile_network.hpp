// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/config.hpp"
#include "daemon/policy/policy.hpp"

namespace schultor::policy {

/// [lan], [wan] and [management] of gateway.toml.
[[nodiscard]] Network compile_network(const config::Gateway& gateway);

}  // namespace schultor::policy
