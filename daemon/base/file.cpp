// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace schultor::base {
namespace {

Result<void> sync_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  const UniqueFd fd(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) return fail_errno(errno, folder.string());
  return {};
}

Result<void> write_synced(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(errno, "it cannot be written");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fsync(fd) != 0) return fail_errno(errno, "it cannot be written");
  return {};
}

}  // namespace

Result<std::optional<std::string>> read_file(const std::string& path, std::size_t largest) {
  // Without O_NONBLOCK a pipe of that name would be waited for.
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  if (!fd && errno == ENOENT) return std::optional<std::string>{};
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) != 0) return fail_errno(errno, path);
  if (!S_ISREG(status.st_mode)) return fail("{}: it is no regular file", path);
  // As much as it tells and one octet more, where it ends; files of /proc tell nothing.
  std::string text(std::min(static_cast<std::size_t>(status.st_size), largest) + 1, '\0');
  std::size_t filled = 0;
  for (;;) {
    if (filled == text.size()) text.resize(std::min(2 * text.size() + 512, largest + 1));
    if (filled > largest) return fail("{}: it is larger than {} octets", path, largest);
    const auto got = read(fd.get(), text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, path);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return std::optional(std::move(text));
}

Result<UniqueFd> create_file(const std::string& path, mode_t mode) {
  if (auto removed = remove_file(path); !removed) return pass(std::move(removed));
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  // The umask of whoever calls is not asked: the gate has a user of its own.
  if (!fd || fchmod(fd.get(), mode) != 0) return fail_errno(errno, path);
  return fd;
}

Result<void> replace_file(const std::string& path, const std::string& aside, std::string_view text, mode_t mode) {
  auto fd = create_file(aside, mode);
  if (!fd) return pass(std::move(fd));
  if (auto written = write_synced(fd->get(), text); !written) return pass(std::move(written), aside);
  if (std::rename(aside.c_str(), path.c_str()) != 0) return fail_errno(errno, path);
  return sync_folder_of(path);
}

Result<void> remove_file(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno(errno, path);
  return {};
}

}  // namespace schultor::base
