// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/config.hpp"
#include "daemon/policy/policy.hpp"

namespace schultor::policy {

/// [lan], [wan] and [management] of gateway.toml.
[[nodiscard]] Network compile_network(const config::Gateway& gateway, config::Diagnostics& out);

/// Says of a network that no device sends from any of its addresses, where that is so.
void check_is_somebodys(const config::Located<base::Prefix>& network, config::Diagnostics& out);

}  // namespace schultor::policy
