// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/city/files.hpp"

#include "daemon/base/file.hpp"
#include "daemon/cache/x509.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace schultor::city {

base::Result<void> create(const std::string& path, std::string_view text, mode_t mode) {
  // A link takes no name that is taken, and a name only when all is on disk.
  const auto aside = path + ".new";
  if (auto written = base::replace_file(aside, path + ".part", text, mode); !written) return written;
  const int error = link(aside.c_str(), path.c_str()) == 0 ? 0 : errno;
  if (auto removed = base::remove_file(aside); !removed) return removed;
  if (error != 0) return base::fail_errno(error, path);
  return {};
}

base::Result<void> make_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return base::fail_errno(errno, path);
  return {};
}

bool is_there(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(std::filesystem::symlink_status(path, error));
}

base::Result<std::string> read(const std::string& path) {
  auto text = base::read_file(path, cache::largest_pem);
  if (!text) return base::pass(std::move(text));
  if (!*text) return base::fail("{}: there is no such file", path);
  return std::move(**text);
}

}  // namespace schultor::city
