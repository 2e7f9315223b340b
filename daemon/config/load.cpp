// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/load.hpp"

#include "daemon/config/list_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

namespace schultor::config {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// One file, up to a byte more than is allowed, so that parse() can tell. None where there is no such file, or none that can be
/// read.
std::optional<std::string> slurp(const std::filesystem::path& directory, const std::string& name, Files& files, Diagnostics& out) {
  const auto path = directory / name;
  const auto give_up = [&](const std::string& why) {
    out.error({name, 1, 1}, why);
    files.unreadable.insert(name);
    return std::nullopt;
  };
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return std::nullopt;
  if (error) return give_up(error.message());
  if (!std::filesystem::is_regular_file(status)) return give_up("not a regular file");
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "re"));
  if (!file) return give_up(std::generic_category().message(errno));
  std::string text;
  char buffer[65536];
  while (text.size() <= largest_file) {
    const auto count = std::fread(buffer, 1, sizeof buffer, file.get());
    text.append(buffer, count);
    if (count < sizeof buffer) break;
  }
  if (std::ferror(file.get()) != 0) return give_up("the file cannot be read to its end");
  return text;
}

/// The files of a folder that the configuration may name. What it does not name is not looked at further.
void slurp_folder(const std::filesystem::path& directory, const std::string& folder, const std::string& ending, Files& files,
                  Diagnostics& out) {
  std::error_code error;
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory / folder, error)) {
    if (entry.path().extension() != ending) continue;
    const auto name = folder + "/" + entry.path().filename().string();
    if (++count > most_named_files) {
      out.error({folder, 0, 0},
                "more than " + std::to_string(most_named_files) + " files, expected those that the configuration names");
      return;
    }
    if (auto text = slurp(directory, name, files, out)) files.named.emplace(name, std::move(*text));
  }
}

/// A folder of lists that is not there holds none.
std::vector<NamedList> names_of_lists(std::span<const std::filesystem::path> folders, Diagnostics& out) {
  std::error_code error;
  std::vector<NamedList> names;
  if (std::none_of(folders.begin(), folders.end(), [&](const auto& folder) { return std::filesystem::exists(folder, error); }))
    return names;
  const auto found = find_lists(folders);
  if (!found) {
    out.error({"lists", 0, 0}, found.error().what());
    return names;
  }
  for (const auto& list : found->lists) {
    names.push_back({list.name, {}});
    for (const auto& file : found->lists[list.same_as.value_or(names.size() - 1)].files) names.back().files.push_back(file.shown);
  }
  return names;
}

}  // namespace

Reading read(const std::filesystem::path& directory, Need need, std::span<const std::filesystem::path> list_folders) {
  Diagnostics unreadable;
  Files files;
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    unreadable.error({directory.string(), 0, 0},
                     "there is no such directory, expected one with gateway.toml, city.toml, school.toml and roster.csv");
    return {std::nullopt, std::move(unreadable).take()};
  }
  const bool gateway = need.school_name || need.timezone || need.network || need.operations;
  if (gateway) files.gateway = slurp(directory, "gateway.toml", files, unreadable);
  if (need.city) files.city = slurp(directory, "city.toml", files, unreadable);
  if (need.school) files.school = slurp(directory, "school.toml", files, unreadable);
  if (need.roster) files.roster = slurp(directory, "roster.csv", files, unreadable);
  for (const auto& [folder, ending] : {std::pair{"calendars", ".ics"}, std::pair{"endpoints", ".json"}})
    if (need.city || need.school) slurp_folder(directory, folder, ending, files, unreadable);
  if (!list_folders.empty()) files.lists = names_of_lists(list_folders, unreadable);
  return {std::move(files), std::move(unreadable).take()};
}

Loaded parse(const Reading& reading, Need need) {
  if (!reading.files) return {std::nullopt, std::nullopt, {}, reading.faults};
  auto loaded = parse(*reading.files, need);
  if (!has_errors(reading.faults)) return loaded;
  // What the others hold is still told.
  if (loaded.config) loaded.draft = std::exchange(loaded.config, std::nullopt);
  Diagnostics both;
  both.append(reading.faults);
  both.append(std::move(loaded.diagnostics));
  loaded.diagnostics = std::move(both).take();
  return loaded;
}

Loaded load(const std::filesystem::path& directory, Need need) { return parse(read(directory, need), need); }

}  // namespace schultor::config
