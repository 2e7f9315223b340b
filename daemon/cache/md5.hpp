// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <string_view>

namespace schultor::cache {

/// MD5 (RFC 1321) in lower-case hexadecimal, as nginx names its files by. It resists nobody who wants two keys to meet.
[[nodiscard]] std::string md5_hex(std::string_view text);

}  // namespace schultor::cache
