// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/config/list_files.hpp"
#include "daemon/lists/hits.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>

namespace schultor::lists {

/// What lists hold of one name, and where they say so.
struct NameInFiles {
  struct Place {
    std::string file;  ///< as messages name it: "lists/games/domains"
    int line = 0;      ///< from 1
  };
  Hits hits;                            ///< numbered as the lists that were asked for
  std::map<std::size_t, Place> places;  ///< of each list in `hits`, the first of its longest entries
};

/// Reads the files of the lists of these names (most_lists at most; one that is not there holds nothing) for the entries that hold
/// `name`: lower case, A-labels, no dot at its end. As a table would say, without one.
[[nodiscard]] base::Result<NameInFiles> find_in_files(const config::FoundLists& found, std::span<const std::string> lists,
                                                      std::string_view name);

}  // namespace schultor::lists
