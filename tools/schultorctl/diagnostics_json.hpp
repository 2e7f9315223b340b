// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/diagnostic.hpp"

#include <nlohmann/json.hpp>

#include <string_view>
#include <vector>

namespace schultor::ctl {

/// An array of {file, line, column, severity, text}.
[[nodiscard]] nlohmann::ordered_json diagnostics_json(const std::vector<config::Diagnostic>& diagnostics);

/// What schultord says of a configuration that it refused, line by line as config::to_string writes diagnostics. A line without a
/// place (the kernel refused, the disk is full) is an error of no file.
[[nodiscard]] std::vector<config::Diagnostic> read_refusal(std::string_view text);

}  // namespace schultor::ctl
