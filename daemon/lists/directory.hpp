// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/config/diagnostic.hpp"
#include "daemon/config/list_files.hpp"
#include "daemon/lists/collection.hpp"

#include <filesystem>
#include <span>
#include <vector>

namespace schultor::lists {

/// What a folder of lists holds, and what it left out: warnings, in the order of the files.
struct Gathered {
  Collection collection;
  std::vector<config::Diagnostic> diagnostics;
};

/// Reads all lists that were found. What cannot be read at all is an error, as is a file that is no list (check_is_list()).
[[nodiscard]] base::Result<Gathered> gather(const config::FoundLists& found);
/// The same of all lists that lie in `folders`: see config::find_lists().
[[nodiscard]] base::Result<Gathered> gather(std::span<const std::filesystem::path> folders);

}  // namespace schultor::lists
