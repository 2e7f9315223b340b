// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace schultor::ctl {

/// For people: what the content cache spares the line, as schultor-origin answers Statistics. An error where the document is not of
/// the expected shape.
[[nodiscard]] base::Result<std::string> cache_statistics_text(const nlohmann::ordered_json& statistics);
/// For people: what Purge answers.
[[nodiscard]] base::Result<std::string> purge_text(const nlohmann::ordered_json& answer);
/// "4.2 GB": octets as people read them.
[[nodiscard]] std::string octets_text(std::uint64_t octets);

}  // namespace schultor::ctl
