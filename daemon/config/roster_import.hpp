// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/config.hpp"
#include "daemon/config/export_map.hpp"
#include "daemon/config/roster_edit.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// A management system's (MDM) export, and what it changes in the roster. Pure.
namespace schultor::config {

/// An export of more octets is refused.
inline constexpr std::size_t largest_export = std::size_t{16} << 20U;

/// What an export says of devices.
struct Export {
  std::vector<RosterDevice> devices;           ///< those that can be taken, each once, in the export's order
  std::vector<base::Mac> seen;                 ///< all addresses that occur, sorted: their devices are not missing
  std::map<std::string, std::size_t> unknown;  ///< names that no group of the school has, and of how many lines
  bool more_unknown = false;                   ///< there are more of them than are named
  std::size_t without_group = 0;               ///< lines whose group is empty
  std::size_t without_address = 0;             ///< lines whose address is empty or stands for none
  std::size_t left_out = 0;                    ///< lines that a rename leaves out
  bool whole = true;                           ///< each line could be read: what is not there is missing
};

/// Reads an export in any of the encodings of utf8_from_any(). What is wrong with single lines goes to `faults`, and they are not
/// taken; an error where nothing can be read. `file` is what the faults call it.
[[nodiscard]] base::Result<Export> read_export(std::string_view text, const std::string& file, const ExportMap& map,
                                               GroupNames& groups, Diagnostics& faults);

/// What an export changes.
struct RosterDifference {
  struct Move {
    RosterDevice device;
    std::string from;
  };
  struct Rename {
    RosterDevice device;
    std::string from;
    bool moved = false;  ///< it is among those as well
  };
  std::vector<RosterDevice> added;
  std::vector<Move> moved;
  std::vector<Rename> renamed;
  std::vector<RosterDevice> missing;
  std::size_t unchanged = 0;
  bool removes = false;  ///< the missing ones go

  [[nodiscard]] bool changes() const {
    return !added.empty() || !moved.empty() || !renamed.empty() || (removes && !missing.empty());
  }
  [[nodiscard]] RosterEdits edits() const;
};

struct CompareOptions {
  bool names = true;  ///< the roster has names
  bool remove_missing = false;
};

/// Holds the export against the roster. A device without a name in the export keeps the one it has.
[[nodiscard]] RosterDifference compare(const Export& read, const std::vector<RosterEntry>& roster, const CompareOptions& options);

}  // namespace schultor::config
