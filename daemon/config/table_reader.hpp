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
  /// None where the key is missing.
  [[nodiscard]] std::optional<std::vector<Text>> optional_texts(std::string_view key);
  [[nodiscard]] std::optional<Located<bool>> flag(std::string_view key);
  [[nodiscard]] std::vector<Located<std::uint16_t>> ports(std::string_view key);
  /// Networks such as "192.168.5.0/24".
  [[nodiscard]] std::vector<Located<base::Prefix>> prefixes(std::string_view key);
  /// From 0 up.
  [[nodiscard]] std::optional<Located<std::uint64_t>> number(std::string_view key);
  [[nodiscard]] std::optional<TableReader> table(std::string_view key);
  /// [[key]]: an array of tables.
  [[nodiscard]] std::vector<TableReader> tables(std::string_view key);
  /// A list of texts and tables: `as_text` gets the former, `as_table` the latter. False where the key is missing.
  template <typename AsText, typename AsTable>
  bool texts_or_tables(std::string_view key, AsText as_text, AsTable as_table);
  /// Every table of [key.*], by name.
  [[nodiscard]] std::vector<std::pair<Text, TableReader>> named_tables(std::string_view key);

  /// A key that belongs into another file.
  void belongs_to(std::string_view key, std::string_view file);
  /// Says that `key` is missing, unless it is there and was wrong, which was said.
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

template <typename AsText, typename AsTable>
bool TableReader::texts_or_tables(std::string_view key, AsText as_text, AsTable as_table) {
  const auto* entry = take(key);
  if (entry == nullptr) return false;
  const auto* list = std::get_if<std::vector<Value>>(&entry->value.data);
  if (list == nullptr) {
    wrong(key, entry->value, "a list such as [\"…\", {file = \"…\"}]");
    return true;
  }
  for (const auto& value : *list) {
    if (const auto* text = std::get_if<std::string>(&value.data)) as_text(Text{*text, value.source});
    else if (const auto* table = std::get_if<Table>(&value.data))
      as_table(TableReader(*table, value.source, std::string(key), out_));
    else wrong(std::string("an entry of ").append(key), value, "a text in quotes, or {file = \"…\"}");
  }
  return true;
}

}  // namespace schultor::config
