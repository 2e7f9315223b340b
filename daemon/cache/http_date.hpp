// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace schultor::cache {

/// A date of HTTP in one of its three formats (RFC 9110, 5.6.7), and nothing but that. `now` says in which century a year of two
/// digits lies: more than fifty years ahead means the one that is past. The day of the week is read, not compared. Case of names
/// does not matter, since "THU" is still a date.
[[nodiscard]] std::optional<std::chrono::sys_seconds> read_http_date(std::string_view text, std::chrono::sys_seconds now);

/// In the one format that is to be sent, "Sun, 06 Nov 1994 08:49:37 GMT".
[[nodiscard]] std::string to_http_date(std::chrono::sys_seconds instant);

}  // namespace schultor::cache
