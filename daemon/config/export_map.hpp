// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/config/csv_records.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// What the columns of a management system's export are called, and its groups.
namespace schultor::config {

/// The spellings of the columns' names, the better ones first. Case, blanks, dots, hyphens and brackets make no difference.
struct ExportMap {
  std::vector<std::string> mac;
  std::vector<std::string> group;
  std::vector<std::string> name;
};

/// Reads "jamf-school", "relution", "intune" or "mac=COLUMN,group=COLUMN[,name=COLUMN]".
[[nodiscard]] base::Result<ExportMap> parse_export_map(std::string_view text);

/// Where an export has them, from 0.
struct ExportColumns {
  std::size_t mac = 0;
  std::size_t group = 0;
  std::optional<std::size_t> name;
};

/// Finds the columns in a header. An error says what was found and what was expected.
[[nodiscard]] base::Result<ExportColumns> find_columns(const ExportMap& map, const std::vector<CsvField>& header);

/// Which of the school's groups an export's group cell means.
class GroupNames {
public:
  /// `renames`: "NAME=GROUP", the export's name first; "NAME=" leaves its devices out. An error where one is not written so, or
  /// names a group that the school doesn't have.
  [[nodiscard]] static base::Result<GroupNames> of(const std::vector<std::string>& groups, const std::vector<std::string>& renames);

  struct Found {
    std::vector<std::string> groups;   ///< the school's, each once, and no more than a few
    std::vector<std::string> unknown;  ///< where `groups` is empty: the names that none of the school's groups has
    bool left_out = false;             ///< where both are empty: by "NAME="
  };
  /// A cell may hold one name or several: "3b", "3b, Alle iPads", "[Alle iPads,3b]". Remembers which renames were of use.
  [[nodiscard]] Found find(std::string_view cell);
  /// The renames that no cell asked for.
  [[nodiscard]] std::vector<std::string> unused() const;
  /// The school's group that a name most likely means; empty where there is none.
  [[nodiscard]] std::string likely(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view group) const { return groups_.contains(group); }
  /// "; did you mean …", for a name that is no group's.
  [[nodiscard]] std::string suggestion_for(std::string_view group) const;

private:
  struct Rename {
    std::string name;
    std::string group;  ///< empty: left out
    bool used = false;
  };
  bool take(std::string_view name, Found& found);

  std::set<std::string, std::less<>> groups_;
  std::map<std::string, std::string, std::less<>> known_;  ///< by their names in lower case; empty: of more than one
  std::map<std::string, Rename, std::less<>> renames_;     ///< likewise
};

/// In lower case, line breaks and the like as blanks, single ones, and none at the ends.
[[nodiscard]] std::string folded(std::string_view text);
/// Control characters, line breaks among them, as blanks, single ones, and none at the ends.
[[nodiscard]] std::string one_line(std::string_view text);
/// At most `most` octets of a text in UTF-8, and no part of a character.
[[nodiscard]] std::string shortened(std::string text, std::size_t most);

}  // namespace schultor::config
