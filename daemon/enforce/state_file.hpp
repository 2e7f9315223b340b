// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Files of the state directory: read whole, replaced whole.
namespace schultor::enforce {

/// None where there is no such file. One beyond 16 MiB is refused.
[[nodiscard]] base::Result<std::optional<std::string>> read_state(const std::string& path);
/// On disk when it returns: whoever reads after a power cut finds the old contents or the new ones (rename(2) after fsync(2)).
[[nodiscard]] base::Result<void> replace_state(const std::string& path, std::string_view text);

}  // namespace schultor::enforce
