// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/file_readers.hpp"

#include "daemon/base/text.hpp"
#include "daemon/config/window.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

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
  profile.safe_search = read_safe_search(table);
  profile.block_categories = read_block_categories(table);
  for (const auto& text : table.texts("services")) {
    const auto service = base::parse_service(text.value);
    if (service) profile.services.push_back({*service, text.source});
    else
      table.out().error(text.source,
                        fmt::format("“{}” is no service: expected one such as \"tcp/22\" or \"udp/3478-3481\"", text.value));
  }
  table.finish();
  return profile;
}

CalendarUse read_calendar_use(TableReader table) {
  CalendarUse use;
  if (auto file = table.text("file")) use.file = std::move(*file);
  else table.missing("file", "the calendar's file, such as \"calendars/nrw.ics\"");
  use.only = table.texts("only");
  use.except = table.texts("except");
  if (const auto end = table.text("end")) {
    if (end->value == "inclusive") use.end = EventEnd::inclusive;
    else if (end->value == "exclusive") use.end = EventEnd::exclusive;
    else
      table.out().error(end->source,
                        fmt::format("end “{}” is not known{}", end->value, suggestion(end->value, {"inclusive", "exclusive"})));
  }
  table.finish();
  return use;
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
  schedule.holidays = table.text("holidays");
  table.texts_or_tables(
      "calendars",
      [&](Text file) {
        schedule.calendars.push_back({std::move(file), {}, {}, EventEnd::by_evidence, 0});
      },
      [&](TableReader use) { schedule.calendars.push_back(read_calendar_use(std::move(use))); });
  table.finish();
  return schedule;
}

}  // namespace

bool is_label(std::string_view text) {
  if (text.empty() || text.size() > longest_label || text.front() == ' ' || text.back() == ' ') return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (base::unseen_at(text.substr(i)) > 0) return false;
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
    table.out().error(name->source, fmt::format("“{}” is no name: expected 1 to {} octets of UTF-8 without “,”, “;”, quotes, "
                                                "characters that are not seen, and spaces at the ends",
                                                name->value, longest_label));
  return *name;
}

std::vector<Text> read_block_categories(TableReader& table) {
  if (const auto opened = table.texts("allow_categories"); !opened.empty())
    table.out().error(opened.front().source,
                      fmt::format("{}: allow_categories opens nothing: a list of names can close them and never opens any; write "
                                  "the names into allow",
                                  table.what()));
  return table.texts("block_categories");
}

SafeSearch read_safe_search(TableReader& table) {
  SafeSearch asked;
  asked.engines = table.flag("safe_search");
  const auto youtube = table.text("youtube");
  if (!youtube) return asked;
  for (const auto& [word, meaning] :
       {std::pair("off", YouTube::off), std::pair("moderate", YouTube::moderate), std::pair("strict", YouTube::strict)})
    if (youtube->value == word) asked.videos = Located<YouTube>{meaning, youtube->source};
  if (!asked.videos)
    table.out().error(youtube->source, fmt::format("youtube “{}” is not known{}", youtube->value,
                                                   suggestion(youtube->value, {"off", "moderate", "strict"})));
  return asked;
}

OverrideLimits read_override_limits(TableReader& file) {
  OverrideLimits limits;
  auto table = file.table("override");
  if (!table) return limits;
  if (const auto longest = table->text("longest")) {
    const auto span = parse_duration(longest->value);
    if (span) limits.longest = Located<std::chrono::seconds>{*span, longest->source};
    else
      table->out().error(longest->source,
                         fmt::format("“{}” is no span of time: expected one such as 45m, 4h or 1h30m, and at most 100 days (2400h)",
                                     longest->value));
  }
  table->finish();
  return limits;
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
