// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace schultor::ctl {

/// For people: what schultord describes, with `broker` ({connected, outbox_depth} or null) beside it. An error where the
/// document is not of the expected shape.
[[nodiscard]] base::Result<std::string> status_text(const nlohmann::ordered_json& description);

}  // namespace schultor::ctl
