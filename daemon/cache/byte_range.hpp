// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace schultor::cache {

/// A number of octets: digits and nothing else, less than 2^63, so that sums do not overflow and an off_t holds it.
[[nodiscard]] std::optional<std::uint64_t> read_octets(std::string_view text);

/// Octets of a representation, both ends included.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  bool operator==(const ByteRange&) const = default;
  [[nodiscard]] std::uint64_t size() const { return last - first + 1; }
};

/// A range of octets with both ends, "bytes=0-4194303", as the engine asks for a slice (RFC 9110, 14.1.2). Any other request for a
/// range is none.
[[nodiscard]] std::optional<ByteRange> read_slice(std::string_view range);

/// What a response with status 206 holds (RFC 9110, 14.4): "bytes 0-99/1234". One that does not tell the complete length is none.
struct ContentRange {
  ByteRange range;
  std::uint64_t complete = 0;  ///< octets of the representation; more than range.last
  bool operator==(const ContentRange&) const = default;
  [[nodiscard]] bool is_whole() const { return range.first == 0 && range.last == complete - 1; }
};
[[nodiscard]] std::optional<ContentRange> read_content_range(std::string_view value);

/// Whether it is what was asked for: the same octets, or those up to the representation's end.
[[nodiscard]] bool answers(const ContentRange& got, const ByteRange& asked);

}  // namespace schultor::cache
