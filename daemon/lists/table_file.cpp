// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/table_file.hpp"

#include "daemon/base/unique_fd.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace schultor::lists {
namespace {

/// A file that goes again unless it is kept.
class TemporaryFile {
public:
  explicit TemporaryFile(const std::string& beside) : path_(beside + ".XXXXXX"), fd_(mkostemp(path_.data(), O_CLOEXEC)) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (fd_ && !kept_) unlink(path_.c_str());
  }
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Under the name `path`.
  base::Result<void> keep_as(const std::string& path) {
    if (std::rename(path_.c_str(), path.c_str()) != 0) return base::fail_errno(errno, path);
    kept_ = true;
    return {};
  }

private:
  std::string path_;
  base::UniqueFd fd_;
  bool kept_ = false;
};

base::Result<void> write_all(int fd, std::span<const std::byte> octets) {
  while (!octets.empty()) {
    const auto written = write(fd, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return base::fail_errno(errno, "writing the table");
    octets = octets.subspan(static_cast<std::size_t>(written));
  }
  constexpr mode_t readable_by_all = 0644;
  if (fchmod(fd, readable_by_all) != 0 || fsync(fd) != 0) return base::fail_errno(errno, "writing the table");
  return {};
}

base::Result<void> sync_directory_of(const std::string& path) {
  const auto directory = std::filesystem::path(path).parent_path();
  const base::UniqueFd fd(open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) return base::fail_errno(errno, directory.string());
  return {};
}

base::Result<void> verify(int fd) {
  const auto mapped = MappedTable::map(fd);
  if (!mapped) return tl::unexpected<base::Error>(mapped.error());
  return mapped->table().verify_body();
}

}  // namespace

void MappedTable::Unmap::operator()(const std::byte* octets) const {
  // munmap takes what mmap gave, of which nothing may be written. NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  munmap(const_cast<std::byte*>(octets), size);
}

base::Result<MappedTable> MappedTable::open(const std::string& path) {
  // Without O_NONBLOCK a pipe of that name would be waited for.
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return base::fail_errno(errno, path);
  auto mapped = map(fd.get());
  if (!mapped) return base::pass(std::move(mapped), path);
  return mapped;
}

base::Result<MappedTable> MappedTable::map(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return base::fail_errno(errno, "the table's file");
  if (!S_ISREG(status.st_mode)) return base::fail("this is no regular file: expected one that “schultorctl lists compile” wrote");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size < sizeof(layout::Header)) return base::fail("this is no table of lists: it is too short");
  void* address = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) return base::fail_errno(errno, "mapping the table");
  Octets octets(static_cast<const std::byte*>(address), Unmap{size});
  auto table = Table::over({octets.get(), size});
  if (!table) return base::pass(std::move(table));
  if (auto verified = table->verify_head(); !verified) return base::pass(std::move(verified));
  const auto since_epoch = std::chrono::seconds(status.st_mtim.tv_sec);
  return MappedTable(std::move(octets), *table, std::chrono::system_clock::time_point(since_epoch));
}

base::Result<void> write_table(const std::string& path, std::span<const std::byte> image) {
  TemporaryFile fresh(path);
  if (fresh.fd() < 0) return base::fail_errno(errno, path);
  if (auto written = write_all(fresh.fd(), image); !written) return base::pass(std::move(written), path);
  if (auto verified = verify(fresh.fd()); !verified) return base::pass(std::move(verified), path);
  if (auto kept = fresh.keep_as(path); !kept) return kept;
  return sync_directory_of(path);
}

}  // namespace schultor::lists
