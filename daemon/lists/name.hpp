// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace schultor::lists {

inline constexpr std::size_t longest_name = 253;

/// Whether a name of one label is one: “zip” on a list that means whole top-level domains, not “com” on one that a slip put there.
enum class Labels { at_least_two, any };

/// A name in the one spelling that the table knows, or why there is none.
struct ReadName {
  std::string_view name;   ///< lower case, A-labels, no dot at the end; lives in the buffer. Empty where there is none
  std::string_view fault;  ///< what was expected, in words
};

using NameBuffer = std::array<char, longest_name>;

/// Reads a name as lists write it: any case, one dot at its end allowed, letters beyond ASCII in UTF-8.
[[nodiscard]] ReadName read_name(std::string_view text, Labels labels, NameBuffer& buffer);

}  // namespace schultor::lists
