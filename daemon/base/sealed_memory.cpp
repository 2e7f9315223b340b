// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/sealed_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace schultor::base {
namespace {

Result<UniqueFd> create(const char* name) {
  UniqueFd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return fail_errno(errno, "memfd_create");
  return fd;
}

Result<UniqueFd> sealed(UniqueFd fd) {
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
    return fail_errno(errno, "sealing memory that is handed over");
  return fd;
}

}  // namespace

Result<UniqueFd> sealed_copy(const char* name, std::span<const std::byte> octets) {
  auto fd = create(name);
  if (!fd) return fd;
  while (!octets.empty()) {
    const auto written = write(fd->get(), octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(errno, "writing to memory that is handed over");
    octets = octets.subspan(static_cast<std::size_t>(written));
  }
  return sealed(std::move(*fd));
}

Result<UniqueFd> sealed_copy_of_file(const char* name, int file, std::size_t most) {
  struct stat status {};
  if (fstat(file, &status) != 0) return fail_errno(errno, "it cannot be read");
  if (!S_ISREG(status.st_mode)) return fail("it is no regular file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > most) return fail("it has {} octets, expected at most {}", size, most);
  auto fd = create(name);
  if (!fd) return fd;
  off_t done = 0;
  while (static_cast<std::size_t>(done) < size) {
    const auto copied = sendfile(fd->get(), file, &done, size - static_cast<std::size_t>(done));
    if (copied < 0 && errno == EINTR) continue;
    if (copied < 0) return fail_errno(errno, "it cannot be read");
    // Somebody has cut it off meanwhile.
    if (copied == 0) break;
  }
  return sealed(std::move(*fd));
}

Result<void> expect_sealed(int fd) {
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0) return fail_errno(errno, "it is no memory that can be sealed");
  if ((seals & F_SEAL_WRITE) == 0 || (seals & F_SEAL_SHRINK) == 0) return fail("its memory is not sealed");
  return {};
}

}  // namespace schultor::base
