// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/state_file.hpp"

#include "daemon/base/unique_fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace schultor::enforce {
namespace {

constexpr std::size_t largest_file = std::size_t{16} << 20U;

}  // namespace

base::Result<void> sync_directory(const std::string& directory) {
  const base::UniqueFd fd(open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) return base::fail_errno(errno, directory);
  return {};
}

base::Result<void> write_synced(const std::string& path, std::string_view text, mode_t mode) {
  const base::UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!fd) return base::fail_errno(errno, path);
  while (!text.empty()) {
    const auto written = write(fd.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return base::fail_errno(errno, path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fsync(fd.get()) != 0) return base::fail_errno(errno, path);
  return {};
}

base::Result<std::optional<std::string>> read_state(const std::string& path) {
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
    if (text.size() > largest_file) return base::fail("{}: larger than {} bytes", path, largest_file);
  }
}

base::Result<void> replace_state(const std::string& path, std::string_view text) {
  const std::string fresh = path + ".new";
  if (auto written = write_synced(fresh, text, 0644); !written) return written;
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return base::fail_errno(errno, path);
  return sync_directory(std::filesystem::path(path).parent_path().string());
}

std::string move_aside(const std::string& path) {
  const auto aside = path + ".damaged";
  return std::rename(path.c_str(), aside.c_str()) == 0 ? "was moved to " + aside : "cannot be moved aside";
}

}  // namespace schultor::enforce
