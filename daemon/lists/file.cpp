// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace schultor::lists {
namespace {

base::Result<void> sync_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  const base::UniqueFd fd(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) return base::fail_errno(errno, folder.string());
  return {};
}

base::Result<void> write_synced(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return base::fail_errno(errno, "it cannot be written");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fsync(fd) != 0) return base::fail_errno(errno, "it cannot be written");
  return {};
}

}  // namespace

base::Result<std::optional<std::string>> read_file(const std::string& path, std::size_t largest) {
  // Without O_NONBLOCK a pipe of that name would be waited for.
  const base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  if (!fd && errno == ENOENT) return std::optional<std::string>{};
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) != 0) return base::fail_errno(errno, path);
  if (!S_ISREG(status.st_mode)) return base::fail("{}: it is no regular file", path);
  if (static_cast<std::size_t>(status.st_size) > largest) return base::fail("{}: it is larger than {} octets", path, largest);
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const auto got = read(fd.get(), text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, path);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return std::optional(std::move(text));
}

base::Result<base::UniqueFd> create_file(const std::string& path) {
  if (auto removed = remove_file(path); !removed) return base::pass(std::move(removed));
  base::UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  // The umask of whoever calls is not asked: the gate has a user of its own.
  if (!fd || fchmod(fd.get(), 0644) != 0) return base::fail_errno(errno, path);
  return fd;
}

base::Result<void> replace_file(const std::string& path, const std::string& aside, std::string_view text) {
  auto fd = create_file(aside);
  if (!fd) return base::pass(std::move(fd));
  if (auto written = write_synced(fd->get(), text); !written) return base::pass(std::move(written), aside);
  if (std::rename(aside.c_str(), path.c_str()) != 0) return base::fail_errno(errno, path);
  return sync_folder_of(path);
}

base::Result<void> remove_file(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return base::fail_errno(errno, path);
  return {};
}

}  // namespace schultor::lists
