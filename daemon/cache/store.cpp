// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/store.hpp"

#include "daemon/base/unique_fd.hpp"
#include "daemon/cache/md5.hpp"
#include "daemon/cache/nginx_configuration.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <vector>

namespace schultor::cache {
namespace {

namespace fs = std::filesystem;

struct Opened {
  base::UniqueFd fd;
  std::optional<StoredHead> head;
  std::uint64_t size = 0;
};

/// None where there is no such file.
std::optional<Opened> open_stored(const std::string& path) {
  Opened opened{base::UniqueFd(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)), {}, 0};
  struct stat about {};
  if (!opened.fd || fstat(opened.fd.get(), &about) != 0 || !S_ISREG(about.st_mode)) return std::nullopt;
  opened.size = static_cast<std::uint64_t>(about.st_size);
  std::vector<char> start(longest_stored_head);
  const auto got = pread(opened.fd.get(), start.data(), start.size(), 0);
  if (got > 0) opened.head = read_stored_head({start.data(), static_cast<std::size_t>(got)});
  return opened;
}

/// nginx keeps files open for a second without looking whether they are still there (open_file_cache_valid), but reads each one's
/// head anew for each answer, and takes none of another version.
void take_out(const Opened& opened, const std::string& path) {
  const std::uint64_t no_version = 0;
  static_cast<void>(pwrite(opened.fd.get(), &no_version, sizeof no_version, 0));
  unlink(path.c_str());
}

bool is_stored_name(const std::string& name) {
  return name.size() == 32 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// 64 GiB: nobody has the loop look at more files than these.
constexpr std::uint64_t most_slices_looked_at = 16384;
/// Where nobody knows how many there are, since the first one has gone.
constexpr std::uint64_t slices_looked_for_without_first = 256;

/// Nobody finishes it any more.
constexpr std::chrono::minutes unfinished_for{10};

std::uint64_t slices_of(std::uint64_t octets) { return octets / slice_size + (octets % slice_size == 0 ? 0 : 1); }

struct Address {
  std::string_view scheme, host, request_uri;
};

/// What nginx is writing, before it bears its name. It gives up what does not go on for a minute.
bool is_unfinished_name(const std::string& name) {
  return name.size() == 32 + 1 + 10 && name[32] == '.' && is_stored_name(name.substr(0, 32)) &&
         name.find_first_not_of("0123456789", 33) == std::string::npos;
}

bool is_left_behind(const fs::directory_entry& entry) {
  std::error_code error;
  const auto written = entry.last_write_time(error);
  return !error && is_unfinished_name(entry.path().filename()) && fs::file_time_type::clock::now() - written > unfinished_for;
}

template <typename Judge>
base::Result<Swept> sweep_all(const std::string& directory, const Judge& condemns, const std::atomic<bool>& stop) {
  Swept swept;
  std::error_code error;
  fs::recursive_directory_iterator entry(directory, fs::directory_options::skip_permission_denied, error);
  if (error) return base::fail("{}: {}", directory, error.message());
  for (; entry != fs::recursive_directory_iterator() && !stop; entry.increment(error)) {
    if (error) return base::fail("{}: {}", directory, error.message());
    const auto& path = entry->path();
    if (is_left_behind(*entry)) unlink(path.c_str());
    if (!is_stored_name(path.filename())) continue;
    const auto opened = open_stored(path);
    // Gone meanwhile: nginx makes room for others.
    if (!opened) continue;
    ++swept.seen;
    if (!condemns(*opened)) continue;
    take_out(*opened, path);
    ++swept.withdrawn;
    swept.octets += opened->size;
  }
  return swept;
}

}  // namespace

std::string Store::path_of(std::string_view key) const {
  const auto hash = md5_hex(key);
  return fmt::format("{}/{}/{}/{}", directory_, hash.substr(31, 1), hash.substr(29, 2), hash);
}

std::optional<Store::Body> Store::read(std::string_view key, std::uint64_t longest) const {
  auto opened = open_stored(path_of(key));
  if (!opened || !opened->head || opened->head->key != key || !opened->head->content_length ||
      *opened->head->content_length > longest || !is_whole(*opened->head, opened->size))
    return std::nullopt;
  std::string octets(*opened->head->content_length, '\0');
  const auto got = pread(opened->fd.get(), octets.data(), octets.size(), static_cast<off_t>(opened->head->body_start));
  if (got != static_cast<ssize_t>(octets.size())) return std::nullopt;
  return Body{std::move(*opened->head), std::move(octets)};
}

std::optional<StoredHead> Store::find(std::string_view key) const {
  const auto opened = open_stored(path_of(key));
  return opened && opened->head && opened->head->key == key ? opened->head : std::nullopt;
}

namespace {

template <typename Judge>
std::uint64_t withdraw_slices(const Store& store, const Address& address, std::uint64_t count, const Judge& condemns) {
  std::uint64_t withdrawn = 0;
  for (std::uint64_t number = 0; number < std::min(count, most_slices_looked_at); ++number) {
    const auto path = store.path_of(storage_key(address.scheme, address.host, address.request_uri, slice_range(number)));
    const auto opened = open_stored(path);
    if (!opened || !condemns(*opened)) continue;
    take_out(*opened, path);
    ++withdrawn;
  }
  return withdrawn;
}

}  // namespace

std::uint64_t Store::withdraw(std::string_view scheme, std::string_view host, std::string_view request_uri) const {
  const auto first = find(storage_key(scheme, host, request_uri, slice_range(0)));
  const auto count = first && first->complete ? slices_of(*first->complete) : slices_looked_for_without_first;
  return withdraw_slices(*this, {scheme, host, request_uri}, count, [](const Opened&) { return true; });
}

std::uint64_t Store::withdraw_others(std::string_view scheme, std::string_view host, std::string_view request_uri,
                                     std::string_view tag, std::uint64_t octets, bool all) const {
  const auto is_other = [tag](const Opened& opened) { return !opened.head || opened.head->etag != tag; };
  const Address address{scheme, host, request_uri};
  const auto first = withdraw_slices(*this, address, 1, is_other);
  return !all && first == 0 ? 0 : first + withdraw_slices(*this, address, slices_of(octets), is_other);
}

base::Result<Swept> Store::sweep(const std::function<bool(const StoredHead&)>& condemns, const std::atomic<bool>& stop) const {
  return sweep_all(
      directory_, [&](const Opened& opened) { return opened.head && condemns(*opened.head); }, stop);
}

base::Result<Swept> Store::sweep_damaged(bool unsure, const std::atomic<bool>& stop) const {
  const auto is_damaged = [unsure](const Opened& opened) {
    return !opened.head || !is_whole(*opened.head, opened.size) || (unsure && !opened.head->content_length);
  };
  return sweep_all(directory_, is_damaged, stop);
}

bool is_of_address(std::string_view key, std::string_view address) {
  return key.size() > address.size() && key.substr(0, address.size()) == address && key.rfind('#') == address.size();
}

std::string_view host_of_key(std::string_view key) {
  const auto start = key.find("://");
  if (start == std::string_view::npos) return {};
  key.remove_prefix(start + 3);
  return key.substr(0, key.find('/'));
}

}  // namespace schultor::cache
