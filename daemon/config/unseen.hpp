// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <string_view>

namespace schultor::config {

/// How many octets of UTF-8 the character at the start of `text` has, where it is one that is not seen or that turns the text
/// around it: of no width, of direction, a control character beyond ASCII. 0 for every other.
[[nodiscard]] std::size_t unseen_at(std::string_view text);

}  // namespace schultor::config
