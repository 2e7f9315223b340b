// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/list_file.hpp"

#include "daemon/base/unique_fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace schultor::lists {
namespace {

base::Result<std::string> slurp(const std::filesystem::path& path) {
  const base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) != 0) return base::fail_errno(errno, "it cannot be read");
  if (!S_ISREG(status.st_mode)) return base::fail("it is no regular file");
  if (static_cast<std::size_t>(status.st_size) > largest_list_file)
    return base::fail("it is larger than {} bytes: split it, or leave out what no profile names", largest_list_file);
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const auto got = read(fd.get(), text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, "it cannot be read");
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return text;
}

}  // namespace

base::Result<void> read_list_file(const std::filesystem::path& path, Sink& sink) {
  auto text = slurp(path);
  if (!text) return base::pass(std::move(text));
  const auto format = format_of_file_name(path.filename().string());
  read_list(*text, format ? *format : detect_format(*text), sink);
  return {};
}

}  // namespace schultor::lists
