// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/cache/header_fields.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Entity tags (RFC 9110, 8.8.3) by which slices of one representation are known to belong together.
namespace schultor::cache {

[[nodiscard]] bool is_strong_tag(std::string_view tag);

/// A tag for a representation of `complete` octets whose origin gives no strong one: from Last-Modified, the length and a weak tag.
/// None where the origin may have changed it again within the second of Last-Modified (RFC 9110, 8.8.2.2), or says nothing of that.
[[nodiscard]] std::optional<std::string> made_tag(const HeaderFields& response, std::uint64_t complete,
                                                  std::chrono::sys_seconds now);

/// Puts back into conditions of a request what the origin knows: of a made tag in If-None-Match the origin's weak tag where there
/// was one, else its date in If-Modified-Since.
void restore_conditions(HeaderFields& request);

}  // namespace schultor::cache
