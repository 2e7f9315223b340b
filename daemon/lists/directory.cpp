// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/directory.hpp"

#include "daemon/base/unique_fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace schultor::lists {
namespace {

namespace fs = std::filesystem;

base::Result<std::string> slurp(const fs::path& path) {
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

base::Result<void> read_file(const config::ListFiles::File& file, std::size_t list, Gathered& gathered) {
  auto text = slurp(file.path);
  if (!text) return base::pass(std::move(text));
  const auto format = format_of_file_name(file.path.filename().string());
  config::Diagnostics faults;
  FileSink sink(gathered.collection, list, file.shown, faults);
  read_list(*text, format ? *format : detect_format(*text), sink);
  sink.finish();
  for (auto& one : std::move(faults).take()) gathered.diagnostics.push_back(std::move(one));
  return {};
}

}  // namespace

base::Result<Gathered> gather(const config::FoundLists& found) {
  Gathered gathered{{}, found.diagnostics};
  for (const auto& list : found.lists) {
    auto number = gathered.collection.add_list(list.name, list.same_as);
    if (!number) return base::pass(std::move(number));
    for (const auto& file : list.files)
      if (auto read = read_file(file, *number, gathered); !read) return base::pass(std::move(read), file.shown);
  }
  return gathered;
}

base::Result<Gathered> gather(std::span<const fs::path> folders) {
  const auto found = config::find_lists(folders);
  if (!found) return tl::unexpected<base::Error>(found.error());
  return gather(*found);
}

}  // namespace schultor::lists
