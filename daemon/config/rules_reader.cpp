// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/file_readers.hpp"
#include "daemon/config/window.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace schultor::config {
namespace {

constexpr std::size_t longest_label = 64;
constexpr std::size_t longest_profile_name = 32;

bool is_profile_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_profile_name && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

Profile read_profile(TableReader table) {
  Profile profile;
  profile.name = read_name(table);
  if (!profile.name.value.empty()) {
    if (!is_profile_name(profile.name.value))
      table.out().error(profile.name.source, fmt::format("“{}” is no name for a profile: expected at most {} of a-z, 0-9, - and _",
                                                         profile.name.value, longest_profile_name));
    table.rename(fmt::format("profile “{}”", profile.name.value));
  }
  if (const auto access = table.text("access")) {
    if (access->value == "open") profile.access = Access::open;
    else if (access->value != "listed")
      table.out().error(access->source,
                        fmt::format("access “{}” is not known{}", access->value, suggestion(access->value, {"listed", "open"})));
  } else {
    table.missing("access", "“listed” (only what is allowed) or “open” (all but what is blocked)");
  }
  profile.allow = table.texts("allow");
  profile.block = table.texts("block");
  for (const auto* key : {"safe_search", "allow_categories", "block_categories", "endpoints"}) table.not_supported_yet(key);
  table.finish();
  return profile;
}

Schedule read_schedule(TableReader table) {
  Schedule schedule;
  schedule.name = read_name(table);
  if (!schedule.name.value.empty()) table.rename(fmt::format("schedule “{}”", schedule.name.value));
  for (auto& text : table.texts("windows")) {
    auto window = parse_window(text.value, text.source);
    if (window) schedule.windows.push_back(std::move(*window));
    else table.out().error(text.source, window.error().what());
  }
  const auto profile = [&](std::string_view key, std::string_view meaning) {
    auto name = table.text(key);
    if (!name) table.missing(key, fmt::format("the profile that holds {}", meaning));
    return name.value_or(Text{});
  };
  schedule.during = profile("during", "within its windows");
  schedule.otherwise = profile("otherwise", "outside of its windows");
  for (const auto* key : {"holidays", "calendars"}) table.not_supported_yet(key);
  table.finish();
  return schedule;
}

}  // namespace

bool is_label(std::string_view text) {
  if (text.empty() || text.size() > longest_label || text.front() == ' ' || text.back() == ' ') return false;
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == ',' || c == ';' || c == '"'; });
}

Text read_name(TableReader& table) {
  auto name = table.text("name");
  if (!name) {
    table.missing("name", "a name in quotes");
    return {{}, table.where()};
  }
  if (!is_label(name->value))
    table.out().error(name->source,
                      fmt::format("“{}” is no name: expected 1 to {} characters without “,”, “;”, quotes and spaces at the ends",
                                  name->value, longest_label));
  return *name;
}

std::vector<Profile> read_profiles(TableReader& file) {
  std::vector<Profile> profiles;
  for (auto& table : file.tables("profile")) profiles.push_back(read_profile(table));
  return profiles;
}

std::vector<Schedule> read_schedules(TableReader& file) {
  std::vector<Schedule> schedules;
  for (auto& table : file.tables("schedule")) schedules.push_back(read_schedule(table));
  return schedules;
}

}  // namespace schultor::config
