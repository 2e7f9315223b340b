// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// What a list's server sent, unpacked. A first octet of 'g' has the rest packed by the target, since no fuzzer finds a checksum.
#include "daemon/lists/unpack.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

using namespace schultor;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::vector<std::byte> packed(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> out(size + 65536);
  std::size_t used = 0;
  auto* writer = archive_write_new();
  auto* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  require(archive_write_set_format_raw(writer) == ARCHIVE_OK && archive_write_add_filter_gzip(writer) == ARCHIVE_OK);
  require(archive_write_open_memory(writer, out.data(), out.size(), &used) == ARCHIVE_OK);
  require(archive_write_header(writer, entry) == ARCHIVE_OK);
  require(archive_write_data(writer, data, size) == static_cast<la_ssize_t>(size));
  require(archive_write_close(writer) == ARCHIVE_OK);
  archive_entry_free(entry);
  archive_write_free(writer);
  out.resize(used);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t most = 1U << 20U;
  const bool pack = size > 0 && data[0] == 'g';
  const auto octets =
      pack ? packed(data + 1, size - 1)
           : std::vector<std::byte>(reinterpret_cast<const std::byte*>(data), reinterpret_cast<const std::byte*>(data) + size);
  const auto text = lists::unpack(octets, most);
  // Between the files of an archive a line may be ended.
  require(!text || text->size() <= most + 1000);
  return 0;
}
