// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/lists/build.hpp"
#include "daemon/lists/name.hpp"
#include "daemon/lists/table.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// For the fuzz targets of list formats: reads a list, and holds what comes out to what all readers promise.
namespace schultor::fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

/// What a name in the table looks like, said another way than the reader does.
inline bool is_canonical(std::string_view name) {
  if (name.empty() || name.size() > lists::longest_name || name.front() == '.' || name.back() == '.') return false;
  if (name.find("..") != std::string_view::npos) return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string_view::npos;
}

class CheckingSink final : public lists::Sink {
public:
  explicit CheckingSink(std::string_view text) : lines_(1 + static_cast<int>(std::count(text.begin(), text.end(), '\n'))) {}

  void name(std::string_view name, lists::Scope scope) override {
    require(is_canonical(name));
    names.emplace_back(name, scope);
  }
  void prefix(const base::Prefix& prefix) override {
    require(base::parse_prefix(base::to_string(prefix)).value() == prefix);
    prefixes.push_back(prefix);
  }
  void left_out(lists::LeftOut, lists::Place place, std::string_view text, std::string_view why) override {
    require(place.line >= 1 && place.line <= lines_ && place.column >= 1 && !why.empty());
    require(text.size() <= lists::longest_line);
    ++left_out_lines;
  }

  std::vector<std::pair<std::string, lists::Scope>> names;
  std::vector<base::Prefix> prefixes;
  std::size_t left_out_lines = 0;

private:
  int lines_;
};

/// What was read is found in the table that is made of it.
inline void check_table_of(const CheckingSink& read) {
  lists::Collection collection;
  const auto list = collection.add_list("fuzz").value();
  for (const auto& [name, scope] : read.names) collection.add_name(list, name, scope);
  for (const auto& prefix : read.prefixes) collection.add_network(list, prefix);
  const auto image = lists::build(collection);
  require(image.has_value());
  const auto table = lists::Table::over(*image);
  require(table.has_value() && table->verify_head().has_value() && table->verify_body().has_value());
  for (const auto& [name, scope] : read.names) {
    const auto labels = 1 + std::count(name.begin(), name.end(), '.');
    if (scope != lists::Scope::below) require(table->look_up(name).labels[list] == labels);
    const auto deeper = "x." + name;
    if (scope != lists::Scope::self && deeper.size() <= lists::longest_name) require(table->look_up(deeper).labels[list] >= labels);
  }
  for (std::size_t i = 0; i < table->networks(); ++i) require(table->network(i).has_value());
}

inline int read_as(lists::Format format, const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckingSink sink(text);
  lists::read_list(text, format, sink);
  check_table_of(sink);
  // Evidence may say anything, but it says it.
  require(!lists::to_string(lists::detect_format(text)).empty());
  return 0;
}

}  // namespace schultor::fuzz
