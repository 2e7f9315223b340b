// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace schultor::cache {

/// What Cache-Control says of a response (RFC 9111, 5.2.2; RFC 5861), as a shared cache reads it. A directive with a list of fields
/// (private="a") counts as the one without. Of a directive that is there twice the shorter time counts; a time that cannot be read
/// is 0: what is unclear is stale.
struct CacheControl {
  bool no_store = false;
  bool no_cache = false;
  bool is_private = false;
  bool is_public = false;
  bool must_revalidate = false;
  bool proxy_revalidate = false;
  std::optional<std::chrono::seconds> max_age;
  std::optional<std::chrono::seconds> s_maxage;
  std::optional<std::chrono::seconds> stale_if_error;
  std::optional<std::chrono::seconds> stale_while_revalidate;
  bool operator==(const CacheControl&) const = default;
};

/// Times are at most 2^31 seconds (RFC 9111, 1.2.2).
inline constexpr std::chrono::seconds longest_delta{std::int64_t{1} << 31U};

/// Digits and nothing else; more than longest_delta is longest_delta.
[[nodiscard]] std::optional<std::chrono::seconds> read_delta_seconds(std::string_view text);

/// `value`: the field's values, joined. Anything can be read; what is no directive is passed over.
[[nodiscard]] CacheControl read_cache_control(std::string_view value);

}  // namespace schultor::cache
