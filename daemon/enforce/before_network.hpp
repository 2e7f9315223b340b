// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/base/result.hpp"

#include <string>

namespace schultor::enforce {

/// Before the network comes up: commits the strictest profile of each group by the configuration that was applied last, with the
/// cloud open through its ranges and the pins that were kept. With none of it, and where it is of no use, which is an error, a
/// ruleset that forwards nothing. A ruleset that is in force already is left as it is: whoever brought it about knew more. Needs
/// CAP_NET_ADMIN and `state_directory`; writes there only what no start has written before it.
[[nodiscard]] base::Result<void> hold_before_network(base::EventLoop& loop, const std::string& state_directory);

}  // namespace schultor::enforce
