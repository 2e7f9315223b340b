// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/diagnostic.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace schultor::config {

struct Entry;
struct Value;

struct Table {
  std::vector<Entry> entries;  ///< in the order of the file
};

/// A value that no key of ours takes, by the name that a reader knows it by: "a date".
struct Foreign {
  std::string_view kind;
};

/// A TOML value and where it stands.
struct Value {
  std::variant<std::string, std::int64_t, bool, std::vector<Value>, Table, Foreign> data;
  Source source;
};

struct Entry {
  std::string key;
  Source source;  ///< of the key
  Value value;
};

/// "a text", "a number", "true or false", "a list", "a table", …
[[nodiscard]] std::string_view kind_of(const Value& value);

/// Reads a TOML document; a fault goes to `out`. Nesting is bounded by the library.
[[nodiscard]] std::optional<Table> parse_toml(std::string_view text, const std::string& file, Diagnostics& out);

}  // namespace schultor::config
