// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/pin_memory.hpp"

#include "daemon/dns/limits.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

namespace schultor::dns {
namespace {

constexpr std::size_t memory_size = sizeof(PinTable::Head) + limits::remembered_pins * sizeof(PinTable::Slot);
static_assert(limits::remembered_pins % PinTable::slots_of_bucket == 0);
/// Its size is its layout: a version with another one does not take it over.
constexpr int fixed_size = F_SEAL_SHRINK | F_SEAL_GROW;

}  // namespace

void PinMemory::Unmap::operator()(void* memory) const { munmap(memory, memory_size); }

base::Result<PinMemory> PinMemory::map(base::UniqueFd fd) {
  void* memory = mmap(nullptr, memory_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED) return base::fail_errno(errno, "mapping the memory of pins");
  return PinMemory(std::move(fd), memory);
}

base::Result<PinMemory> PinMemory::create() {
  base::UniqueFd fd(memfd_create("schultor-pins", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd || ftruncate(fd.get(), static_cast<off_t>(memory_size)) != 0 || fcntl(fd.get(), F_ADD_SEALS, fixed_size) != 0)
    return base::fail_errno(errno, "the memory of pins");
  return map(std::move(fd));
}

base::Result<PinMemory> PinMemory::adopt(base::UniqueFd fd) {
  struct stat status {};
  const int seals = fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0 || fstat(fd.get(), &status) != 0) return base::fail_errno(errno, "the kept memory of pins");
  if ((seals & fixed_size) != fixed_size || static_cast<std::size_t>(status.st_size) != memory_size)
    return base::fail("the kept memory of pins has {} octets, expected {}, sealed", status.st_size, memory_size);
  return map(std::move(fd));
}

PinTable PinMemory::table() const {
  auto* head = static_cast<PinTable::Head*>(memory_.get());
  return {head, {reinterpret_cast<PinTable::Slot*>(head + 1), limits::remembered_pins}};
}

}  // namespace schultor::dns
