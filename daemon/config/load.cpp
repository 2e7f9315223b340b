// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/load.hpp"

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

/// One file, up to a byte more than is allowed, so that parse() can tell. None where there is no such file.
std::optional<std::string> slurp(const std::filesystem::path& directory, const std::string& name, Diagnostics& out) {
  const auto path = directory / name;
  const Source where{name, 1, 1};
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return std::nullopt;
  if (error || !std::filesystem::is_regular_file(status)) {
    out.error(where, error ? error.message() : "not a regular file");
    return std::string{};
  }
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "re"));
  if (!file) {
    out.error(where, std::generic_category().message(errno));
    return std::string{};
  }
  std::string text;
  char buffer[65536];
  while (text.size() <= largest_file) {
    const auto count = std::fread(buffer, 1, sizeof buffer, file.get());
    text.append(buffer, count);
    if (count < sizeof buffer) break;
  }
  if (std::ferror(file.get()) != 0) out.error(where, "the file cannot be read to its end");
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
    if (auto text = slurp(directory, name, out)) files.named.emplace(name, std::move(*text));
  }
}

}  // namespace

Loaded load(const std::filesystem::path& directory, Need need) {
  Diagnostics unreadable;
  Files files;
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    unreadable.error({directory.string(), 0, 0},
                     "there is no such directory, expected one with gateway.toml, city.toml, school.toml and roster.csv");
    return {std::nullopt, std::nullopt, std::move(unreadable).take()};
  }
  const bool gateway = need.school_name || need.timezone || need.network || need.operations;
  if (gateway) files.gateway = slurp(directory, "gateway.toml", unreadable);
  if (need.city) files.city = slurp(directory, "city.toml", unreadable);
  if (need.school) files.school = slurp(directory, "school.toml", unreadable);
  if (need.roster) files.roster = slurp(directory, "roster.csv", unreadable);
  for (const auto& [folder, ending] : {std::pair{"calendars", ".ics"}, std::pair{"endpoints", ".json"}})
    if (need.city || need.school) slurp_folder(directory, folder, ending, files, unreadable);
  if (unreadable.has_errors()) return {std::nullopt, std::nullopt, std::move(unreadable).take()};
  return parse(files, need);
}

}  // namespace schultor::config
