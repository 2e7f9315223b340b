// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/file_readers.hpp"

#include <fmt/format.h>
#include <algorithm>

#include <map>
#include <utility>

namespace schultor::config {
namespace {

/// The file's contents where they are there and of a bearable size; says so where the file is needed and missing.
const std::string* contents(const Files& files, const std::optional<std::string>& text, const std::string& name, bool needed,
                            Diagnostics& out) {
  if (!text) {
    if (needed && !files.unreadable.contains(name))
      out.error({name, 1, 1}, "the file is missing, expected it in the configuration directory");
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
bool with_toml(const Files& files, const std::optional<std::string>& text, const std::string& name, bool needed, Diagnostics& out,
               Read read) {
  const auto* held = contents(files, text, name, needed, out);
  if (held == nullptr) return !needed;
  const auto table = parse_toml(*held, name, out);
  if (table) read(TableReader(*table, {name, 1, 1}, {}, out));
  return table.has_value();
}

/// The contents of a file that the configuration names.
const std::string* named_file(const Files& files, const Text& name, std::string_view folder, std::string_view ending,
                              Diagnostics& out) {
  const std::string_view text = name.value;
  const bool fits = text.size() > folder.size() + ending.size() && text.substr(0, folder.size()) == folder &&
                    text.substr(text.size() - ending.size()) == ending && text.find('/', folder.size()) == std::string_view::npos;
  if (!fits) {
    out.error(name.source, fmt::format("“{}” names no file here: expected one such as {}NAME{}", text, folder, ending));
    return nullptr;
  }
  const auto found = files.named.find(text);
  if (found == files.named.end()) {
    if (!files.unreadable.contains(text))
      out.error(name.source, fmt::format("there is no file {} in the configuration directory", text));
    return nullptr;
  }
  if (found->second.size() > largest_file) {
    out.error({name.value, 1, 1}, fmt::format("the file is larger than {} MiB", largest_file >> 20U));
    return nullptr;
  }
  return &found->second;
}

/// Reads the calendars that schedules name, each file once for each way in which its ends are meant.
class CalendarReader {
public:
  CalendarReader(const Files& files, Config& config, Diagnostics& out) : files_(files), config_(config), out_(out) {}

  void read(std::vector<Schedule>& schedules) {
    for (auto& schedule : schedules)
      for (auto& use : schedule.calendars) use.calendar = index_of(use);
  }

private:
  std::size_t index_of(const CalendarUse& use) {
    const auto [known, fresh] = read_.try_emplace({use.file.value, use.end}, config_.calendars.size());
    if (!fresh) return known->second;
    const auto* text = use.file.value.empty() ? nullptr : named_file(files_, use.file, "calendars/", ".ics", out_);
    config_.calendars.push_back(text == nullptr ? std::vector<CalendarEvent>{}
                                                : read_calendar(*text, use.file.value, use.end, out_));
    return known->second;
  }

  const Files& files_;
  Config& config_;
  Diagnostics& out_;
  std::map<std::pair<std::string, EventEnd>, std::size_t> read_;
};

void read_named_files(const Files& files, Need need, Config& config, Diagnostics& out) {
  CalendarReader calendars(files, config, out);
  calendars.read(config.city.schedules);
  calendars.read(config.school.schedules);
  if (!need.endpoints) return;
  for (auto& list : config.city.cloud_endpoints)
    if (const auto* text = list.file.value.empty() ? nullptr : named_file(files, list.file, "endpoints/", ".json", out))
      list.endpoints = read_endpoints(*text, list.file.value, list.selection, out);
}

/// Those that are there, and those that are to be downloaded.
std::optional<std::vector<NamedList>> known_lists(const Files& files, const Config& config) {
  auto known = files.lists;
  if (!known) return known;
  const auto by_name = [](const NamedList& one, const std::string& name) { return one.name < name; };
  for (const auto* lists : {&config.city.lists, &config.school.lists})
    for (const auto& list : *lists) {
      const auto place = std::lower_bound(known->begin(), known->end(), list.name.value, by_name);
      if (place == known->end() || place->name != list.name.value) known->insert(place, {list.name.value, {}, true});
    }
  return known;
}

}  // namespace

Loaded parse(const Files& files, Need need) {
  Config config;
  Diagnostics out;
  const bool gateway =
      with_toml(files, files.gateway, "gateway.toml", need.school_name || need.timezone || need.network || need.operations, out,
                [&](TableReader file) { config.gateway = read_gateway(std::move(file), need); });
  const bool city = with_toml(files, files.city, "city.toml", need.city, out,
                              [&](TableReader file) { config.city = read_city(std::move(file)); });
  const bool school = with_toml(files, files.school, "school.toml", need.school, out,
                                [&](TableReader file) { config.school = read_school(std::move(file)); });
  if (need.roster) {
    const std::string name = "roster.csv";
    if (const auto* text = contents(files, files.roster, name, true, out)) config.roster = read_roster(*text, name, out);
  }

  read_named_files(files, need, config, out);
  check_lists(config, out);
  config.lists = known_lists(files, config);

  Loaded loaded;
  if (!out.has_errors()) loaded.config = std::move(config);
  else loaded.draft = std::move(config);
  loaded.unread = {!gateway, !city, !school};
  loaded.diagnostics = std::move(out).take();
  return loaded;
}

}  // namespace schultor::config
