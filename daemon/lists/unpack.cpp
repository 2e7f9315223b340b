// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/unpack.hpp"

#include "daemon/lists/reader.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

namespace schultor::lists {
namespace {

constexpr std::size_t most_members = 1000;
constexpr std::size_t chunk = std::size_t{64} << 10U;
/// gzip, and the one behind it that passes octets on.
constexpr int most_filters = 2;

struct Free {
  void operator()(archive* reader) const noexcept { archive_read_free(reader); }
};
using Archive = std::unique_ptr<archive, Free>;

/// A name that says nothing of where to write: it is compared, no more.
std::filesystem::path path_of(archive_entry* entry) {
  const char* name = archive_entry_pathname(entry);
  return name != nullptr ? name : "";
}

bool is_list(archive_entry* entry) {
  if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr) return false;
  const auto name = path_of(entry).filename().string();
  return format_of_file_name("x." + name) || format_of_file_name(name);
}

tl::unexpected<base::Error> failure(archive* reader) {
  const char* text = archive_error_string(reader);
  return base::fail("it cannot be unpacked: {}", text != nullptr ? text : "it is damaged");
}

class Unpacker {
public:
  Unpacker(Archive reader, std::size_t most) : reader_(std::move(reader)), most_(most) {}

  base::Result<std::string> run() {
    if (archive_filter_count(reader_.get()) > most_filters) return base::fail("it is packed more than once");
    for (;;) {
      archive_entry* entry = nullptr;
      const int r = archive_read_next_header(reader_.get(), &entry);
      if (r == ARCHIVE_EOF) break;
      if (r != ARCHIVE_OK && r != ARCHIVE_WARN) return failure(reader_.get());
      if (++members_ > most_members) return base::fail("there are more than {} files in it", most_members);
      if (auto read = read_member(entry); !read) return base::pass(std::move(read));
    }
    if (members_ > 0 && !taken_)
      return base::fail("there is no file named domains, hosts, adblock or rpz in it: is it an archive of lists?");
    return std::move(text_);
  }

private:
  [[nodiscard]] bool is_archive() const { return (archive_format(reader_.get()) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR; }

  base::Result<void> read_member(archive_entry* entry) {
    const bool wanted = !is_archive() || is_list(entry);
    if (wanted && is_archive()) {
      const auto folder = path_of(entry).parent_path().lexically_normal();
      if (taken_ && folder != folder_)
        return base::fail("there are several lists in it, such as {} and {}: name an archive of one of them", folder_.string(),
                          folder.string());
      folder_ = folder;
      if (!text_.empty() && text_.back() != '\n') text_ += '\n';
    }
    taken_ = taken_ || wanted;
    return read_data(wanted);
  }

  /// What is passed over is read here too: libarchive would unpack it without end.
  base::Result<void> read_data(bool wanted) {
    for (;;) {
      char octets[chunk];
      const auto size = archive_read_data(reader_.get(), octets, sizeof octets);
      if (size == 0) return {};
      if (size < 0) return failure(reader_.get());
      const auto got = static_cast<std::size_t>(size);
      if (got > most_ - read_) return base::fail("it is larger than {} octets when unpacked", most_);
      read_ += got;
      if (wanted) text_.append(octets, got);
    }
  }

  Archive reader_;
  std::size_t most_;
  std::size_t read_ = 0;
  std::size_t members_ = 0;
  bool taken_ = false;
  std::filesystem::path folder_;
  std::string text_;
};

base::Result<std::string> unpack(std::size_t most, int (*open)(archive*, const void*), const void* from) {
  Archive reader(archive_read_new());
  if (!reader) return base::fail("libarchive cannot be used");
  auto* raw = reader.get();
  if (archive_read_support_filter_gzip(raw) != ARCHIVE_OK || archive_read_support_format_tar(raw) != ARCHIVE_OK ||
      archive_read_support_format_raw(raw) != ARCHIVE_OK || archive_read_support_format_empty(raw) != ARCHIVE_OK)
    return base::fail("libarchive cannot be used: is it one with gzip?");
  if (open(raw, from) != ARCHIVE_OK) return failure(raw);
  return Unpacker(std::move(reader), most).run();
}

}  // namespace

base::Result<std::string> unpack(int fd, std::size_t most) {
  return unpack(
      most, [](archive* reader, const void* from) { return archive_read_open_fd(reader, *static_cast<const int*>(from), chunk); },
      &fd);
}

base::Result<std::string> unpack(std::span<const std::byte> octets, std::size_t most) {
  return unpack(
      most,
      [](archive* reader, const void* from) {
        const auto& all = *static_cast<const std::span<const std::byte>*>(from);
        return archive_read_open_memory(reader, all.data(), all.size());
      },
      &octets);
}

}  // namespace schultor::lists
