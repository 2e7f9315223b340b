// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace schultor::ctl {

/// For people: overrides as schultord describes them ({group, profile, from, until, reason, by}), a line each below a heading; says
/// so where there is none. An error where one is not of the expected shape.
[[nodiscard]] base::Result<std::string> overrides_text(const nlohmann::ordered_json& overrides);

/// For people: one of them as a line.
[[nodiscard]] base::Result<std::string> override_text(const nlohmann::ordered_json& one);

/// For people: what ClearOverride answered ({cleared}), of a group or (none) of all there are.
[[nodiscard]] base::Result<std::string> cleared_text(const nlohmann::ordered_json& answer, const std::optional<std::string>& group);

}  // namespace schultor::ctl
