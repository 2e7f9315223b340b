// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

/// Files of the city's: keys that nobody can make again are never written over.
namespace schultor::city {

/// A new file, on disk when it returns. Fails where there is one of that name.
[[nodiscard]] base::Result<void> create(const std::string& path, std::string_view text, mode_t mode);
/// A folder for its owner alone, unless it is there.
[[nodiscard]] base::Result<void> make_folder(const std::string& path);
[[nodiscard]] bool is_there(const std::string& path);
/// Fails where there is none.
[[nodiscard]] base::Result<std::string> read(const std::string& path);

}  // namespace schultor::city
