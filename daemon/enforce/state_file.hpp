// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

/// Files of the state directory: read whole, replaced whole.
namespace schultor::enforce {

/// None where there is no such file. One beyond 16 MiB is refused.
[[nodiscard]] base::Result<std::optional<std::string>> read_state(const std::string& path);
/// On disk when it returns: whoever reads after a power cut finds the old contents or the new ones (rename(2) after fsync(2)).
[[nodiscard]] base::Result<void> replace_state(const std::string& path, std::string_view text);

/// Puts a damaged file out of the way, for people to look at; in words, what became of it: "was moved to PATH.damaged".
[[nodiscard]] std::string move_aside(const std::string& path);

/// A new file's contents, on disk when it returns; its name is after sync_directory().
[[nodiscard]] base::Result<void> write_synced(const std::string& path, std::string_view text, mode_t mode);
[[nodiscard]] base::Result<void> sync_directory(const std::string& directory);

}  // namespace schultor::enforce
