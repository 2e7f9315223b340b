// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/config/diagnostic.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Which files make which list. What they hold is for daemon/lists to read.
namespace schultor::config {

/// One list: its name is what categories are called by.
struct ListFiles {
  struct File {
    std::filesystem::path path;
    std::string shown;  ///< as messages name it: "lists/games/domains"
  };
  std::string name;
  std::vector<File> files;
  std::optional<std::size_t> same_as;  ///< index of the list that this is another name of; then it has no files of its own
};

struct FoundLists {
  std::vector<ListFiles> lists;         ///< in the order of their names
  std::vector<Diagnostic> diagnostics;  ///< warnings of what is passed over
};

/// Looks through folders of lists, those of a configuration directory first. A folder in one is a list of its own name, made of all
/// its files; a file in one is a list of its name up to the first dot. A link to another list's folder is another name of that
/// list. A name that several folders have is one list, of all their files. A folder that does not exist holds none; that none of
/// them exists is an error, as is what cannot be read: a list that is missing without a word would open what it closes.
[[nodiscard]] base::Result<FoundLists> find_lists(std::span<const std::filesystem::path> folders);

}  // namespace schultor::config
