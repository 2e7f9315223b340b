// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/file_readers.hpp"

#include <fmt/format.h>

namespace schultor::config {
namespace {

/// The file's contents where they are there and of a bearable size; says so where the file is needed and missing.
const std::string* contents(const std::optional<std::string>& text, const std::string& name, bool needed, Diagnostics& out) {
  if (!text) {
    if (needed) out.error({name, 1, 1}, "the file is missing, expected it in the configuration directory");
    return nullptr;
  }
  if (text->size() > largest_file) {
    out.error({name, 1, 1}, fmt::format("the file is larger than {} MiB", largest_file >> 20U));
    return nullptr;
  }
  return &*text;
}

/// Hands the file's table to `read`. False where a file that is needed could not be read.
template <typename Read>
bool with_toml(const std::optional<std::string>& text, const std::string& name, bool needed, Diagnostics& out, Read read) {
  const auto* held = contents(text, name, needed, out);
  if (held == nullptr) return !needed;
  const auto table = parse_toml(*held, name, out);
  if (table) read(TableReader(*table, {name, 1, 1}, {}, out));
  return table.has_value();
}

}  // namespace

Loaded parse(const Files& files, Need need) {
  Config config;
  Diagnostics out;
  const bool gateway =
      with_toml(files.gateway, "gateway.toml", need.school_name || need.timezone || need.network || need.operations, out,
                [&](TableReader file) { config.gateway = read_gateway(std::move(file), need); });
  const bool city =
      with_toml(files.city, "city.toml", need.city, out, [&](TableReader file) { config.city = read_city(std::move(file)); });
  const bool school = with_toml(files.school, "school.toml", need.school, out,
                                [&](TableReader file) { config.school = read_school(std::move(file)); });
  if (need.roster) {
    const std::string name = "roster.csv";
    if (const auto* text = contents(files.roster, name, true, out)) config.roster = read_roster(*text, name, out);
  }

  Loaded loaded;
  if (!out.has_errors()) loaded.config = std::move(config);
  else if (gateway && city && school) loaded.draft = std::move(config);
  loaded.diagnostics = std::move(out).take();
  return loaded;
}

}  // namespace schultor::config
