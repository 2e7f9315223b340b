// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/policy/override.hpp"

#include <string>

namespace schultor::enforce {

/// Reads overrides.json of the state directory; a missing file yields none. One that is damaged or cannot be read is moved aside,
/// and the error says where to: what holds then is what the rules say.
[[nodiscard]] base::Result<policy::KeptOverrides> load_overrides(const std::string& path);
/// Replaces the file whole, on disk when it returns.
[[nodiscard]] base::Result<void> save_overrides(const std::string& path, const policy::KeptOverrides& kept);

}  // namespace schultor::enforce
