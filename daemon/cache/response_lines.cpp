// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/response_lines.hpp"

#include "daemon/cache/byte_range.hpp"

#include <charconv>
#include <vector>

namespace schultor::cache {
namespace {

std::string_view without_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

bool ResponseLines::begin(std::string_view status_line) {
  fields_.clear();
  well_formed_ = true;
  if (status_line.starts_with("HTTP/1.0 ")) version_ = 10;
  else if (status_line.starts_with("HTTP/1.1 ")) version_ = 11;
  else if (status_line.starts_with("HTTP/2 ")) version_ = 20;
  else return false;
  const auto code = status_line.substr(status_line.find(' ') + 1).substr(0, 3);
  const auto read = std::from_chars(code.data(), code.data() + code.size(), status_);
  return read.ec == std::errc{} && read.ptr == code.data() + 3 && status_ >= 100;
}

bool ResponseLines::add(std::string_view line) {
  if (line.size() > most_octets - octets_) return false;
  octets_ += line.size();
  if (complete_) return true;
  line = without_end(line);
  if (status_ == 0) return begin(line);
  if (line.empty()) {
    // What is interim ends here, and another status line follows.
    complete_ = status_ >= 200;
    if (!complete_) status_ = 0;
    return true;
  }
  const auto full = fields_.all().size() >= HeaderFields::most_fields;
  if (!add_line(fields_, line)) well_formed_ = false;
  return !full;
}

std::optional<std::uint64_t> ResponseLines::length() const {
  if (fields_.has("Transfer-Encoding")) return std::nullopt;
  const auto all = fields_.joined("Content-Length");
  if (!all) return std::nullopt;
  std::optional<std::uint64_t> length;
  for (const auto member : list_members(*all)) {
    const auto one = read_octets(member);
    if (!one || (length && length != one)) return std::nullopt;
    length = one;
  }
  return length;
}

bool ResponseLines::delimited() const {
  if (version_ == 20) return true;
  const auto codings = fields_.joined("Transfer-Encoding");
  if (!codings) return length().has_value();
  const auto members = list_members(*codings);
  return version_ == 11 && !members.empty() && equal_without_case(members.back(), "chunked");
}

}  // namespace schultor::cache
