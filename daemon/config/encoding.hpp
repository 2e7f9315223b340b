// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <string_view>

/// Texts that other programs have written, in the encodings that they use.
namespace schultor::config {

/// Reads ISO 8859-1 and Windows-1252, which has letters where that has control characters. Never fails.
[[nodiscard]] std::string utf8_from_windows_1252(std::string_view text);

/// Reads what spreadsheets and management systems write: UTF-8 and UTF-16 with or without byte order mark, else Windows-1252. The
/// mark goes; what is no character becomes U+FFFD. The result is valid UTF-8, at most three times as long.
[[nodiscard]] std::string utf8_from_any(std::string_view text);

}  // namespace schultor::config
