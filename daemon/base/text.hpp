// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace schultor::base {

/// How many octets of UTF-8 the character at the start of `text` has, where it is one that is not seen or that turns the text
/// around it: of no width, of direction, a control character beyond ASCII. 0 for every other.
[[nodiscard]] std::size_t unseen_at(std::string_view text);

/// How many octets of UTF-8 the character at the start of `text` has; 0 where there is none that is well-formed (RFC 3629).
[[nodiscard]] std::size_t character_at(std::string_view text);
[[nodiscard]] bool is_utf8(std::string_view text);

/// An absolute path of letters, digits and "-._/" without "..", of at most `longest` octets: such a one means the same wherever it
/// is written.
[[nodiscard]] bool is_plain_path(std::string_view text, std::size_t longest);

/// What somebody else wrote, as it may go to a terminal, a log or a message: control characters, unseen ones and what is no UTF-8
/// as \xNN. At most `longest` octets of `text` are shown, an ellipsis stands for the rest. The result is valid UTF-8 of one line.
[[nodiscard]] std::string printable(std::string_view text, std::size_t longest = std::string_view::npos);

}  // namespace schultor::base
