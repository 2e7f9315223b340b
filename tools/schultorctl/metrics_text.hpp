// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace schultor::ctl {

/// OpenMetrics text of what Manager.Describe and Manager.GateStatistics tell. Fails where they are not understood.
[[nodiscard]] base::Result<std::string> metrics_text(const nlohmann::ordered_json& description,
                                                     const nlohmann::ordered_json& gate_statistics);

}  // namespace schultor::ctl
