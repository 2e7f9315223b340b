// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/lists/table.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace schultor::lists {

/// Where the gate looks, unless told otherwise.
inline constexpr const char* default_table = "/var/lib/schultor-lists/lists.table";
/// Lists that were downloaded, beside those of the configuration directory.
inline constexpr const char* default_downloads = "/var/lib/schultor-lists/lists";

/// A table's file, mapped read-only. It is replaced by renaming another one over it, never written to: this one stays as it is
/// until it is closed.
class MappedTable {
public:
  /// Refuses what is no whole table, and one whose head was altered. Reads the head alone: the size of a table does not matter.
  [[nodiscard]] static base::Result<MappedTable> open(const std::string& path);
  /// The same of an open file, which may be closed afterwards.
  [[nodiscard]] static base::Result<MappedTable> map(int fd);

  [[nodiscard]] const Table& table() const { return table_; }
  [[nodiscard]] std::span<const std::byte> octets() const { return {octets_.get(), octets_.get_deleter().size}; }
  /// When it was written.
  [[nodiscard]] std::chrono::system_clock::time_point written() const { return written_; }

private:
  struct Unmap {
    std::size_t size = 0;
    void operator()(const std::byte* octets) const;
  };
  using Octets = std::unique_ptr<const std::byte, Unmap>;
  MappedTable(Octets octets, const Table& table, std::chrono::system_clock::time_point written)
      : octets_(std::move(octets)), table_(table), written_(written) {}

  Octets octets_;
  Table table_;
  std::chrono::system_clock::time_point written_;
};

/// On disk when it returns, and read back: whoever opens `path` finds the old table or the new one. A failure leaves the old one.
[[nodiscard]] base::Result<void> write_table(const std::string& path, std::span<const std::byte> image);

}  // namespace schultor::lists
