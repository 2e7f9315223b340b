// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/applied_configuration.hpp"

#include "daemon/enforce/state_file.hpp"
#include "daemon/lists/table_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string_view>
#include <utility>

namespace schultor::enforce {
namespace {

namespace fs = std::filesystem;

/// By their names in the directory.
std::map<std::string, std::string_view> listed(const config::Files& files) {
  std::map<std::string, std::string_view> list;
  for (const auto& [name, text] : {std::pair{"gateway.toml", &files.gateway}, std::pair{"city.toml", &files.city},
                                   std::pair{"school.toml", &files.school}, std::pair{"roster.csv", &files.roster}})
    if (*text) list.emplace(name, **text);
  for (const auto& [name, text] : files.named) list.emplace(name, text);
  return list;
}

base::Result<void> make_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return base::fail_errno(errno, path);
  return {};
}

base::Result<void> write_all(const std::string& directory, const std::map<std::string, std::string_view>& list) {
  if (auto made = make_directory(directory); !made) return made;
  for (const auto& [name, text] : list) {
    const auto path = directory + "/" + name;
    const auto folder = fs::path(path).parent_path().string();
    if (auto made = make_directory(folder); !made) return made;
    if (auto written = write_synced(path, text, 0600); !written) return written;
    if (auto synced = sync_directory(folder); !synced) return synced;
  }
  return sync_directory(directory);
}

/// `fresh` stands where `directory` stood, at once.
base::Result<void> put_in_place(const std::string& fresh, const std::string& directory) {
  const bool there = fs::exists(fs::symlink_status(directory));
  const unsigned how = there ? RENAME_EXCHANGE : RENAME_NOREPLACE;
  if (renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, directory.c_str(), how) != 0) return base::fail_errno(errno, directory);
  return sync_directory(fs::path(directory).parent_path().string());
}

}  // namespace

base::Result<void> keep_applied_table(const std::string& path, int table) {
  auto wanted = lists::MappedTable::map(table);
  if (!wanted) return base::pass(std::move(wanted));
  if (const auto kept = lists::MappedTable::open(path); kept && kept->table().identity() == wanted->table().identity()) return {};
  const auto octets = wanted->octets();
  return replace_state(path, {reinterpret_cast<const char*>(octets.data()), octets.size()});
}

base::Result<void> keep_cache_rules(const std::string& path, const std::optional<policy::CacheRules>& rules) {
  const auto text = rules ? policy::to_json(*rules) : std::string();
  if (const auto kept = read_state(path); kept && *kept == text) return {};
  return replace_state(path, text);
}

base::Result<void> keep_applied(const std::string& directory, const config::Files& files) {
  const auto list = listed(files);
  std::size_t size = 0;
  for (const auto& [name, text] : list) size += text.size();
  if (size > largest_applied)
    return base::fail("{}: {} bytes of configuration, expected at most {}", directory, size, largest_applied);
  if (const auto kept = config::read(directory, config::Need::everything());
      kept.files && kept.faults.empty() && listed(*kept.files) == list)
    return {};
  const auto fresh = directory + ".new";
  std::error_code ignored;
  fs::remove_all(fresh, ignored);
  auto done = write_all(fresh, list);
  if (done) done = put_in_place(fresh, directory);
  // The predecessor, or what a full disk left unfinished.
  fs::remove_all(fresh, ignored);
  return done;
}

}  // namespace schultor::enforce
