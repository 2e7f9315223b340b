// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/stored_file.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

namespace schultor::cache {
namespace {

constexpr std::uint64_t known_version = 5;
// Of a 64-bit machine.
constexpr std::size_t header_start_at = 54, body_start_at = 56, head_size = 336;
constexpr std::string_view key_mark = "\nKEY: ";

std::uint16_t short_at(std::span<const char> octets, std::size_t at) {
  std::uint16_t value = 0;
  std::memcpy(&value, octets.data() + at, sizeof value);
  return value;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

bool read_status(std::string_view line, StoredHead& head) {
  const auto blank = line.find(' ');
  if (line.substr(0, 5) != "HTTP/" || blank == std::string_view::npos) return false;
  const auto status = number_of(trimmed(line.substr(blank + 1, 3)));
  if (!status || *status < 100 || *status > 999) return false;
  head.status = static_cast<int>(*status);
  return true;
}

bool read_fields(std::string_view text, StoredHead& head) {
  bool first = true;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (first && !read_status(line, head)) return false;
    first = false;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
    head.fields.add(name, value);
    if (equal_without_case(name, "Content-Length")) head.content_length = number_of(value);
    else if (equal_without_case(name, "Content-Range"))
      head.complete = number_of(value.substr(std::min(value.find('/') + 1, value.size())));
    else if (equal_without_case(name, "ETag")) head.etag = value;
  }
  return !first;
}

}  // namespace

std::optional<StoredHead> read_stored_head(std::span<const char> start) {
  std::uint64_t version = 0;
  if (start.size() < head_size + key_mark.size()) return std::nullopt;
  std::memcpy(&version, start.data(), sizeof version);
  const std::size_t header_start = short_at(start, header_start_at), body_start = short_at(start, body_start_at);
  if (version != known_version || header_start < head_size + key_mark.size() || body_start <= header_start ||
      body_start > start.size())
    return std::nullopt;
  const std::string_view text(start.data(), body_start);
  const auto key_line = text.substr(head_size, header_start - head_size);
  if (key_line.substr(0, key_mark.size()) != key_mark || key_line.back() != '\n') return std::nullopt;
  StoredHead head;
  head.key = key_line.substr(key_mark.size(), key_line.size() - key_mark.size() - 1);
  head.body_start = body_start;
  if (!read_fields(text.substr(header_start), head)) return std::nullopt;
  return head;
}

bool is_whole(const StoredHead& head, std::uint64_t file_size) {
  return file_size >= head.body_start && (!head.content_length || file_size - head.body_start == *head.content_length);
}

}  // namespace schultor::cache
