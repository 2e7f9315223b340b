// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/config.hpp"
#include "daemon/config/document.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::config {

/// Takes values out of a table by key, says what is wrong with them, and in the end which keys nobody knows.
/// Borrows the table and the diagnostics.
class TableReader {
public:
  /// `what` names the table in messages: "[lan]", "profile “school”"; empty for the file as a whole.
  TableReader(const Table& table, Source where, std::string what, Diagnostics& out);

  [[nodiscard]] const Source& where() const { return where_; }
  [[nodiscard]] const std::string& what() const { return what_; }
  void rename(std::string what) { what_ = std::move(what); }
  [[nodiscard]] Diagnostics& out() { return out_; }

  [[nodiscard]] std::optional<Text> text(std::string_view key);
  /// An empty list where the key is missing.
  [[nodiscard]] std::vector<Text> texts(std::string_view key);
  [[nodiscard]] std::optional<Located<bool>> flag(std::string_view key);
  /// From 0 up.
  [[nodiscard]] std::optional<Located<std::uint64_t>> number(std::string_view key);
  [[nodiscard]] std::optional<TableReader> table(std::string_view key);
  /// [[key]]: an array of tables.
  [[nodiscard]] std::vector<TableReader> tables(std::string_view key);
  /// Every table of [key.*], by name.
  [[nodiscard]] std::vector<std::pair<Text, TableReader>> named_tables(std::string_view key);

  /// A key that the format knows and this version does not act on: an error, but for what would change nothing
  /// (false, an empty list).
  void not_supported_yet(std::string_view key);
  /// A key that belongs into another file.
  void belongs_to(std::string_view key, std::string_view file);
  /// Says that `key` is missing.
  void missing(std::string_view key, std::string_view expected);
  /// Reports the keys that were not asked for. To be called last.
  void finish();

private:
  const Entry* take(std::string_view key);
  /// `text`, led in by what the table is called.
  [[nodiscard]] std::string in_table(const std::string& text) const;
  void wrong(std::string_view key, const Value& value, std::string_view expected);

  const Table& table_;
  Source where_;
  std::string what_;
  Diagnostics& out_;
  std::vector<std::string_view> known_;
  std::vector<std::string_view> elsewhere_;  ///< belong into another file
};

}  // namespace schultor::config
