// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/policy/override.hpp"

#include <optional>
#include <string>

namespace schultor::enforce {

/// Reads overrides.json of the state directory; none where there is no such file. One that is damaged or cannot be read is moved
/// aside, and the error says where to: what holds then is what the rules say.
[[nodiscard]] base::Result<std::optional<policy::KeptOverrides>> load_overrides(const std::string& path);
/// Replaces the file whole, on disk when it returns. Refuses what load_overrides() would. After a failure either list may be there.
[[nodiscard]] base::Result<void> save_overrides(const std::string& path, const policy::KeptOverrides& kept);

}  // namespace schultor::enforce
