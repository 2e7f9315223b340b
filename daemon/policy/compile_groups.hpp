// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/load.hpp"

namespace schultor::policy {

/// What groups are to each other and to the box: exactly one has what nothing else names, no two share a network or an interface.
void check_groups(const config::Config& config, const config::Unread& unread, config::Diagnostics& out);

}  // namespace schultor::policy
