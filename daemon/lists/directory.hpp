// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/config/diagnostic.hpp"
#include "daemon/lists/collection.hpp"

#include <filesystem>
#include <vector>

namespace schultor::lists {

/// What a folder of lists holds, and what it left out: warnings, in the order of the files.
struct Gathered {
  Collection collection;
  std::vector<config::Diagnostic> diagnostics;
};

/// A file of lists beyond this fails.
inline constexpr std::size_t largest_list_file = std::size_t{512} << 20U;

/// Reads the folder `lists` of a configuration directory. A folder in it is a list of its own name, made of all its files; a file
/// in it is a list of its name up to the first dot. A link to another list's folder is another name of that list. What cannot be
/// read at all is an error: a list that is missing without a word would open what it closes.
[[nodiscard]] base::Result<Gathered> gather(const std::filesystem::path& directory);

}  // namespace schultor::lists
