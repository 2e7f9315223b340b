// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <string>

namespace schultor::cache {

/// What nginx does at SIGHUP and SIGUSR1 (nginx(8)).
enum class EngineSignal { reload, reopen_logs };

/// Tells the nginx whose pid lies in `runtime`; nothing is done, and nothing wrong, where none runs. A pid that has gone to another
/// program since is told nothing.
[[nodiscard]] base::Result<void> signal_engine(const std::string& runtime, EngineSignal signal);

}  // namespace schultor::cache
