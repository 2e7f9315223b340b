// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace schultor::lists {

/// A name in UTF-8 as A-labels (IDNA 2008, mapped by UTS 46 without its transitional rules: "ß" stays itself). None where it has
/// none.
[[nodiscard]] std::optional<std::string> to_a_labels(std::string_view name);

}  // namespace schultor::lists
