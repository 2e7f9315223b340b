// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace schultor::ctl {

/// For people: the devices that schultord lists. An error where the document is not of the expected shape.
[[nodiscard]] base::Result<std::string> devices_text(const nlohmann::ordered_json& document);

}  // namespace schultor::ctl
