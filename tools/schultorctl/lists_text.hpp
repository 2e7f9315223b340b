// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace schultor::ctl {

/// For people: lists that are downloaded, [{list, state, reason, since, updated, entries, from}], a line each. Throws
/// json::exception where they are of another shape.
[[nodiscard]] std::string downloads_text(const nlohmann::ordered_json& lists);

}  // namespace schultor::ctl
