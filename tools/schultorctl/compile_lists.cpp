// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/compile_lists.hpp"

#include "daemon/base/file.hpp"
#include "daemon/lists/build.hpp"
#include "daemon/lists/directory.hpp"
#include "daemon/lists/table_file.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>

namespace schultor::ctl {
namespace {

namespace fs = std::filesystem;

bool any_exists(std::span<const fs::path> folders) {
  std::error_code error;
  return std::any_of(folders.begin(), folders.end(), [&](const fs::path& folder) { return fs::exists(folder, error); });
}

std::string sources_of(const std::string& table) { return table + ".sources"; }

/// What the lists are made of, and no word of what they hold.
base::Result<std::string> inventory(const config::FoundLists& found) {
  std::string text;
  for (const auto& list : found.lists) {
    text += fmt::format("list {}\n", list.name);
    if (list.same_as) text += fmt::format("same as {}\n", found.lists[*list.same_as].name);
    for (const auto& file : list.files) {
      struct stat status {};
      if (stat(file.path.c_str(), &status) != 0) return base::fail_errno(errno, file.shown);
      text += fmt::format("file {} {}.{:09} {} {}\n", status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ino,
                          file.path.string());
    }
  }
  return text;
}

/// Which table the inventory is of: another one that somebody put in its place has other sources.
std::string inventory_of(const lists::Table& table, const std::string& inventory) {
  std::string text = "table ";
  for (const auto octet : table.identity()) text += fmt::format("{:02x}", static_cast<unsigned>(octet));
  return text + "\n" + inventory;
}

/// One that is missing or cut off only leads to lists being compiled once more.
void keep_inventory(const std::string& table, const std::string& inventory) {
  // The folder may be another user's, who must not lead this anywhere.
  if (const auto mapped = lists::MappedTable::open(table))
    static_cast<void>(base::replace_file(sources_of(table), sources_of(table) + ".new", inventory_of(mapped->table(), inventory)));
}

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

base::Result<void> compile_lists(std::span<const fs::path> folders, const std::string& table) {
  auto found = config::find_lists(folders);
  if (!found) return base::pass(std::move(found));
  // Before the files are read: one that changes meanwhile is newer.
  auto made_of = inventory(*found);
  if (!made_of) return base::pass(std::move(made_of));
  auto gathered = lists::gather(*found);
  if (!gathered) return base::pass(std::move(gathered));
  for (const auto& one : gathered->diagnostics) fmt::print(stderr, "{}\n", config::to_string(one));
  auto image = lists::build(gathered->collection);
  if (!image) return base::pass(std::move(image));
  if (auto written = lists::write_table(table, *image); !written) return written;
  keep_inventory(table, *made_of);
  return {};
}

base::Result<bool> are_lists_newer(std::span<const fs::path> folders, const std::string& table) {
  std::error_code error;
  const bool has_table = fs::exists(table, error);
  if (!any_exists(folders)) return false;
  auto found = config::find_lists(folders);
  if (!found) return base::pass(std::move(found));
  if (found->lists.empty() && !has_table) return false;
  auto now = inventory(*found);
  if (!now) return base::pass(std::move(now));
  const auto mapped = lists::MappedTable::open(table);
  // One that cannot be read is made anew.
  return !mapped || slurp(sources_of(table)) != inventory_of(mapped->table(), *now);
}

}  // namespace schultor::ctl
