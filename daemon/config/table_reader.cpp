// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/table_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace schultor::config {

TableReader::TableReader(const Table& table, Source where, std::string what, Diagnostics& out)
    : table_(table), where_(std::move(where)), what_(std::move(what)), out_(out) {}

const Entry* TableReader::take(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.push_back(key);
  const auto found =
      std::find_if(table_.entries.begin(), table_.entries.end(), [&](const Entry& entry) { return entry.key == key; });
  return found == table_.entries.end() ? nullptr : &*found;
}

std::string TableReader::in_table(const std::string& text) const {
  return what_.empty() ? text : fmt::format("{}: {}", what_, text);
}

void TableReader::wrong(std::string_view key, const Value& value, std::string_view expected) {
  out_.error(value.source, in_table(fmt::format("{} is {}, expected {}", key, kind_of(value), expected)));
}

std::optional<Text> TableReader::text(std::string_view key) {
  const auto* entry = take(key);
  if (entry == nullptr) return std::nullopt;
  if (const auto* text = std::get_if<std::string>(&entry->value.data)) return Text{*text, entry->value.source};
  wrong(key, entry->value, "a text in quotes");
  return std::nullopt;
}

std::vector<Text> TableReader::texts(std::string_view key) { return optional_texts(key).value_or(std::vector<Text>{}); }

std::optional<std::vector<Text>> TableReader::optional_texts(std::string_view key) {
  std::vector<Text> texts;
  const auto* entry = take(key);
  if (entry == nullptr) return std::nullopt;
  const auto* list = std::get_if<std::vector<Value>>(&entry->value.data);
  if (list == nullptr) {
    wrong(key, entry->value, "a list of texts such as [\"…\", \"…\"]");
    return texts;
  }
  for (const auto& value : *list) {
    if (const auto* text = std::get_if<std::string>(&value.data)) texts.push_back({*text, value.source});
    else wrong(fmt::format("an entry of {}", key), value, "a text in quotes");
  }
  return texts;
}

std::optional<Located<bool>> TableReader::flag(std::string_view key) {
  const auto* entry = take(key);
  if (entry == nullptr) return std::nullopt;
  if (const auto* flag = std::get_if<bool>(&entry->value.data)) return Located<bool>{*flag, entry->value.source};
  wrong(key, entry->value, "true or false");
  return std::nullopt;
}

std::vector<Located<std::uint16_t>> TableReader::ports(std::string_view key) {
  std::vector<Located<std::uint16_t>> ports;
  const auto* entry = take(key);
  if (entry == nullptr) return ports;
  const auto* list = std::get_if<std::vector<Value>>(&entry->value.data);
  if (list == nullptr) {
    wrong(key, entry->value, "a list of ports such as [22, 443]");
    return ports;
  }
  for (const auto& value : *list) {
    const auto* number = std::get_if<std::int64_t>(&value.data);
    if (number != nullptr && *number >= 1 && *number <= std::numeric_limits<std::uint16_t>::max())
      ports.push_back({static_cast<std::uint16_t>(*number), value.source});
    else if (number == nullptr) wrong(fmt::format("an entry of {}", key), value, "a port of 1 to 65535, without quotes");
    else out_.error(value.source, in_table(fmt::format("an entry of {} is {}, expected a port of 1 to 65535", key, *number)));
  }
  return ports;
}

std::vector<Located<base::Prefix>> TableReader::prefixes(std::string_view key) {
  std::vector<Located<base::Prefix>> prefixes;
  for (const auto& text : texts(key)) {
    const auto prefix = base::parse_prefix(text.value);
    if (prefix) prefixes.push_back({*prefix, text.source});
    else out_.error(text.source, prefix.error().what());
  }
  return prefixes;
}

std::optional<Located<std::uint64_t>> TableReader::number(std::string_view key) {
  const auto* entry = take(key);
  if (entry == nullptr) return std::nullopt;
  const auto* number = std::get_if<std::int64_t>(&entry->value.data);
  if (number != nullptr && *number >= 0) return Located<std::uint64_t>{static_cast<std::uint64_t>(*number), entry->value.source};
  if (number == nullptr) wrong(key, entry->value, "a number from 0 up");
  else out_.error(entry->value.source, in_table(fmt::format("{} is {}, expected a number from 0 up", key, *number)));
  return std::nullopt;
}

std::optional<TableReader> TableReader::table(std::string_view key) {
  const auto* entry = take(key);
  if (entry == nullptr) return std::nullopt;
  if (const auto* table = std::get_if<Table>(&entry->value.data))
    return TableReader(*table, entry->source, fmt::format("[{}]", key), out_);
  wrong(key, entry->value, fmt::format("a table, written [{}]", key));
  return std::nullopt;
}

std::vector<TableReader> TableReader::tables(std::string_view key) {
  std::vector<TableReader> readers;
  const auto* entry = take(key);
  if (entry == nullptr) return readers;
  const auto* list = std::get_if<std::vector<Value>>(&entry->value.data);
  if (list == nullptr) {
    wrong(key, entry->value, fmt::format("a list of tables, each written [[{}]]", key));
    return readers;
  }
  for (const auto& value : *list) {
    if (const auto* table = std::get_if<Table>(&value.data))
      readers.emplace_back(*table, value.source, fmt::format("[[{}]]", key), out_);
    else wrong(fmt::format("an entry of {}", key), value, fmt::format("a table, written [[{}]]", key));
  }
  return readers;
}

std::vector<std::pair<Text, TableReader>> TableReader::named_tables(std::string_view key) {
  std::vector<std::pair<Text, TableReader>> readers;
  const auto* entry = take(key);
  if (entry == nullptr) return readers;
  const auto* outer = std::get_if<Table>(&entry->value.data);
  if (outer == nullptr) {
    wrong(key, entry->value, fmt::format("tables, each written [{}.NAME]", key));
    return readers;
  }
  for (const auto& inner : outer->entries) {
    if (const auto* table = std::get_if<Table>(&inner.value.data))
      readers.emplace_back(Text{inner.key, inner.source},
                           TableReader(*table, inner.source, fmt::format("[{}.{}]", key, inner.key), out_));
    else wrong(fmt::format("{}.{}", key, inner.key), inner.value, fmt::format("a table, written [{}.{}]", key, inner.key));
  }
  return readers;
}

void TableReader::belongs_to(std::string_view key, std::string_view file) {
  if (const auto* entry = take(key); entry != nullptr)
    out_.error(entry->source, in_table(fmt::format("{} does not belong here, expected it in {}", key, file)));
  known_.pop_back();
  elsewhere_.push_back(key);
}

void TableReader::missing(std::string_view key, std::string_view expected) {
  const auto bare = key.starts_with('[') ? key.substr(1, key.size() - 2) : key;
  if (std::any_of(table_.entries.begin(), table_.entries.end(), [&](const Entry& entry) { return entry.key == bare; })) return;
  out_.error(where_, in_table(fmt::format("{} is missing, expected {}", key, expected)));
}

void TableReader::finish() {
  const auto holds = [](const std::vector<std::string_view>& keys, std::string_view key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  for (const auto& entry : table_.entries)
    if (!holds(known_, entry.key) && !holds(elsewhere_, entry.key))
      out_.error(entry.source,
                 in_table(fmt::format("{} is no key that is known here{}", entry.key, suggestion(entry.key, known_))));
}

}  // namespace schultor::config
