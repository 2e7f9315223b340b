// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/file_readers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace schultor::config {
namespace {

Ownership read_ownership(TableReader& table) {
  const auto text = table.text("ownership");
  if (!text || text->value == "school") return Ownership::school;
  if (text->value == "byod") return Ownership::byod;
  if (text->value == "staff") return Ownership::staff;
  table.out().error(text->source, fmt::format("ownership “{}” is not known{}", text->value,
                                              suggestion(text->value, {"school", "byod", "staff"})));
  return Ownership::school;
}

Group read_group(TableReader table) {
  Group group;
  group.name = read_name(table);
  if (!group.name.value.empty()) table.rename(fmt::format("group “{}”", group.name.value));
  group.schedule = table.text("schedule");
  group.profile = table.text("profile");
  if (group.schedule && group.profile)
    table.out().error(
        group.profile->source,
        fmt::format("{}: names both a schedule and a profile, expected a schedule, or a profile that always holds", table.what()));
  if (!group.schedule && !group.profile) table.missing("schedule", "a schedule, or a profile that always holds");
  group.ownership = read_ownership(table);
  group.unknown = table.flag("unknown").value_or(Located<bool>{}).value;
  for (const auto& text : table.texts("prefixes")) {
    const auto prefix = base::parse_prefix(text.value);
    if (prefix) group.prefixes.push_back({*prefix, text.source});
    else table.out().error(text.source, prefix.error().what());
  }
  group.interfaces = table.texts("interfaces");
  table.finish();
  return group;
}

}  // namespace

School read_school(TableReader file) {
  School school;
  for (auto& table : file.tables("group")) school.groups.push_back(read_group(table));
  school.profiles = read_profiles(file);
  school.schedules = read_schedules(file);
  for (auto& [profile, table] : file.named_tables("extend")) {
    Extension extension{profile, table.texts("allow"), table.texts("block")};
    for (const auto* key : {"safe_search", "allow_categories", "block_categories", "endpoints"}) table.not_supported_yet(key);
    table.finish();
    school.extensions.push_back(std::move(extension));
  }
  for (const auto* key : {"day", "origin"}) file.not_supported_yet(key);
  for (const auto* key : {"cloud", "never", "revision"}) file.belongs_to(key, "city.toml: it is the city's to say");
  file.finish();
  return school;
}

}  // namespace schultor::config
