// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/byte_range.hpp"

#include "daemon/cache/header_fields.hpp"

#include <charconv>
#include <limits>

namespace schultor::cache {
namespace {

std::optional<ByteRange> read_ends(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = read_octets(text.substr(0, dash));
  const auto last = read_octets(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return ByteRange{*first, *last};
}

/// What follows the unit; none where it is another one.
std::optional<std::string_view> after_unit(std::string_view text, char separator) {
  constexpr std::string_view unit = "bytes";
  if (text.size() <= unit.size() || !equal_without_case(text.substr(0, unit.size()), unit) || text[unit.size()] != separator)
    return std::nullopt;
  return text.substr(unit.size() + 1);
}

}  // namespace

std::optional<std::uint64_t> read_octets(std::string_view text) {
  std::uint64_t value = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (text.empty() || read.ec != std::errc{} || read.ptr != end || value > std::numeric_limits<std::int64_t>::max())
    return std::nullopt;
  return value;
}

std::optional<ByteRange> read_slice(std::string_view range) {
  const auto ends = after_unit(range, '=');
  return ends ? read_ends(*ends) : std::nullopt;
}

std::optional<ContentRange> read_content_range(std::string_view value) {
  const auto rest = after_unit(value, ' ');
  if (!rest) return std::nullopt;
  const auto slash = rest->find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto range = read_ends(rest->substr(0, slash));
  const auto complete = read_octets(rest->substr(slash + 1));
  if (!range || !complete || range->last >= *complete) return std::nullopt;
  return ContentRange{*range, *complete};
}

bool answers(const ContentRange& got, const ByteRange& asked) {
  if (got.range.first != asked.first || got.range.last > asked.last) return false;
  return got.range.last == asked.last || got.range.last == got.complete - 1;
}

}  // namespace schultor::cache
