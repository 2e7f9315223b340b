// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/roster_import.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

/// What `roster import` prints.
namespace schultor::ctl {

struct ImportReport {
  std::string export_file;
  config::Export read;
  config::RosterDifference difference;
  std::vector<config::Diagnostic> problems;
  bool with_names = true;  ///< the roster has a column for them
  bool asked_to_write = false;
  bool written = false;       ///< the roster was changed
  bool kept_missing = false;  ///< though --remove-missing was given, since the export could not be read whole
};

/// For people: a line a change, then what was not imported, then the sums.
[[nodiscard]] std::string import_text(const ImportReport& report, const config::GroupNames& groups);
/// For scripts.
[[nodiscard]] nlohmann::ordered_json import_json(const ImportReport& report);

}  // namespace schultor::ctl
