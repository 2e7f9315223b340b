// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/document.hpp"

// Compiled into this file alone, so that faults are values here and the fuzzer sees into it.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/impl/preprocessor.h>
// In 3.3 the parser assumes of a key's first character what it checks only later: "[[[" ends the program, or is
// undefined where assertions are off. Its own check says it better.
#undef TOML_ASSERT_ASSUME
#define TOML_ASSERT_ASSUME(expr) static_assert(true)
#include <toml++/toml.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace schultor::config {
namespace {

Source source_of(const toml::source_region& region, const std::string& file) {
  return {file, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
}

Table convert_table(const toml::table& table, const std::string& file);

Value convert(const toml::node& node, const std::string& file) {
  Value value{Foreign{"a value of another kind"}, source_of(node.source(), file)};
  if (const auto* text = node.as_string()) {
    value.data = text->get();
  } else if (const auto* number = node.as_integer()) {
    value.data = number->get();
  } else if (const auto* flag = node.as_boolean()) {
    value.data = flag->get();
  } else if (const auto* table = node.as_table()) {
    value.data = convert_table(*table, file);
  } else if (const auto* array = node.as_array()) {
    std::vector<Value> values;
    values.reserve(array->size());
    for (const auto& element : *array) values.push_back(convert(element, file));
    value.data = std::move(values);
  } else if (node.is_floating_point()) {
    value.data = Foreign{"a decimal number"};
  } else {
    value.data = Foreign{"a date or time"};
  }
  return value;
}

Table convert_table(const toml::table& table, const std::string& file) {
  Table converted;
  converted.entries.reserve(table.size());
  for (const auto& [key, node] : table)
    converted.entries.push_back({std::string(key.str()), source_of(key.source(), file), convert(node, file)});
  std::sort(converted.entries.begin(), converted.entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.source.line, a.source.column) < std::tie(b.source.line, b.source.column);
  });
  return converted;
}

}  // namespace

std::string_view kind_of(const Value& value) {
  struct Names {
    std::string_view operator()(const std::string&) const { return "a text"; }
    std::string_view operator()(std::int64_t) const { return "a number"; }
    std::string_view operator()(bool) const { return "true or false"; }
    std::string_view operator()(const std::vector<Value>&) const { return "a list"; }
    std::string_view operator()(const Table&) const { return "a table"; }
    std::string_view operator()(const Foreign& foreign) const { return foreign.kind; }
  };
  return std::visit(Names{}, value.data);
}

std::optional<Table> parse_toml(std::string_view text, const std::string& file, Diagnostics& out) {
  const auto result = toml::parse(text);
  if (!result) {
    out.error(source_of(result.error().source(), file), std::string(result.error().description()));
    return std::nullopt;
  }
  return convert_table(result.table(), file);
}

}  // namespace schultor::config
