// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <filesystem>
#include <span>
#include <string>

/// From files of lists to the table that the gate judges by.
namespace schultor::ctl {

/// Compiles what lies in `folders` into `table`; what is left out goes to standard error. Beside the table, in TABLE.sources,
/// stands what it was made of. A failure leaves the table that is there.
[[nodiscard]] base::Result<void> compile_lists(std::span<const std::filesystem::path> folders, const std::string& table);

/// Whether `table` is not of the files that lie in `folders` now, by their paths, sizes and times of change. No where there are
/// neither lists nor a table.
[[nodiscard]] base::Result<bool> are_lists_newer(std::span<const std::filesystem::path> folders, const std::string& table);

}  // namespace schultor::ctl
