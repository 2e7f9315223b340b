// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/file_readers.hpp"
#include "daemon/config/window.hpp"

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
  group.ownership = read_ownership(table);
  group.unknown = table.flag("unknown").value_or(Located<bool>{}).value;
  if (!group.schedule && !group.profile && !group.unknown) table.missing("schedule", "a schedule, or a profile that always holds");
  if (const auto strictest = table.flag("strictest")) {
    group.strictest = strictest->value;
    if (!group.unknown)
      table.out().error(strictest->source, fmt::format("{}: strictest belongs to the group with unknown = true", table.what()));
    else if (!group.strictest && !group.schedule && !group.profile)
      table.missing("schedule", "a schedule, or a profile that always holds, beside strictest = false");
  }
  group.prefixes = table.prefixes("prefixes");
  group.interfaces = table.texts("interfaces");
  table.finish();
  return group;
}

Day read_day(TableReader table) {
  Day day;
  const auto date = table.text("date");
  if (!date) table.missing("date", "a date such as \"2026-11-28\"");
  const auto parsed = date ? parse_date(date->value) : std::nullopt;
  if (date && !parsed)
    table.out().error(date->source,
                      fmt::format("“{}” is no date: expected one such as 2026-11-28, from 1970 to 2037", date->value));
  if (parsed) {
    day.date = {*parsed, date->source};
    table.rename(fmt::format("[[day]] {}", date->value));
  }
  day.schedule = table.text("schedule");
  const auto windows = table.optional_texts("windows");
  if (!windows) table.missing("windows", "the date's windows such as [\"09:00-13:00\"], or [] to make it a holiday");
  for (const auto& text : windows.value_or(std::vector<Text>{})) {
    auto window = parse_day_window(text.value, text.source);
    if (window) day.windows.push_back(std::move(*window));
    else table.out().error(text.source, window.error().what());
  }
  table.finish();
  return day;
}

}  // namespace

School read_school(TableReader file) {
  School school;
  for (auto& table : file.tables("group")) school.groups.push_back(read_group(table));
  school.profiles = read_profiles(file);
  school.schedules = read_schedules(file);
  for (auto& [profile, table] : file.named_tables("extend")) {
    Extension extension{profile, table.texts("allow"), table.texts("block"), read_block_categories(table), read_safe_search(table)};
    table.finish();
    school.extensions.push_back(std::move(extension));
  }
  for (auto& table : file.tables("day")) school.days.push_back(read_day(table));
  school.overrides = read_override_limits(file);
  school.lists = read_lists(file);
  school.origins = read_origins(file);
  for (const auto* key : {"cloud", "never", "revision"}) file.belongs_to(key, "city.toml: it is the city's to say");
  file.finish();
  return school;
}

}  // namespace schultor::config
