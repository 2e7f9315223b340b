// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/roster_file.hpp"

#include "daemon/base/unique_fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace schultor::ctl {
namespace {

base::Result<void> write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const auto written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return base::fail_errno(errno, path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

/// Mode and owner of the file at `path`; where there is none, those of a new one that the daemon can read.
base::Result<void> take_after(int fd, const std::string& path) {
  struct stat as {};
  const bool there = stat(path.c_str(), &as) == 0;
  if (!there && errno != ENOENT) return base::fail_errno(errno, path);
  struct stat own {};
  if (fstat(fd, &own) != 0) return base::fail_errno(errno, path);
  // The owner first: a change of it takes bits off the mode.
  if (there && (as.st_uid != own.st_uid || as.st_gid != own.st_gid) && fchown(fd, as.st_uid, as.st_gid) != 0)
    return base::fail("{}: its owner cannot be kept: {}", path, std::generic_category().message(errno));
  if (fchmod(fd, there ? as.st_mode & 07777U : 0644U) != 0) return base::fail_errno(errno, path);
  return {};
}

base::Result<void> sync_directory(const std::filesystem::path& directory) {
  const base::UniqueFd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) return base::fail_errno(errno, directory.string());
  return {};
}

/// Fills the new file that stands beside the old one, and puts it into its place.
base::Result<void> fill_and_rename(int fd, const std::string& fresh, const std::string& path,
                                   const std::optional<std::string>& before, std::string_view after) {
  if (auto written = write_all(fd, after, fresh); !written) return written;
  if (auto kept = take_after(fd, path); !kept) return kept;
  if (fsync(fd) != 0) return base::fail_errno(errno, fresh);
  auto now = read_whole(path, before ? before->size() : 0);
  if (!now || *now != before) return base::fail("{}: somebody has changed it meanwhile; look at the difference again", path);
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return base::fail_errno(errno, path);
  return {};
}

}  // namespace

base::Result<std::optional<std::string>> read_whole(const std::string& path, std::size_t most) {
  const base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return std::optional<std::string>{};
  if (!fd) return base::fail_errno(errno, path);
  std::string text;
  std::array<char, 65536> chunk{};
  for (;;) {
    const auto size = read(fd.get(), chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return base::fail_errno(errno, path);
    if (size == 0) return std::optional(std::move(text));
    text.append(chunk.data(), static_cast<std::size_t>(size));
    if (text.size() > most) return base::fail("{}: the file is larger than {} octets", path, most);
  }
}

base::Result<void> replace_whole(const std::string& path, const std::optional<std::string>& before, std::string_view after) {
  std::error_code error;
  // A link stays, what it leads to is replaced.
  const auto real = std::filesystem::weakly_canonical(path, error);
  if (error) return base::fail("{}: {}", path, error.message());
  auto fresh = real.string() + ".XXXXXX";
  const base::UniqueFd fd(mkostemp(fresh.data(), O_CLOEXEC));
  if (!fd) return base::fail_errno(errno, fresh);
  if (auto replaced = fill_and_rename(fd.get(), fresh, real.string(), before, after); !replaced) {
    std::remove(fresh.c_str());
    return replaced;
  }
  return sync_directory(real.parent_path());
}

}  // namespace schultor::ctl
