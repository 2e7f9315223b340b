// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <optional>
#include <string>

namespace schultor::city {

/// In characters of a new one.
inline constexpr std::size_t shortest_passphrase = 12;

/// The first line of `file`, or without one what somebody types at the terminal, unseen; twice where it is a `fresh` one.
[[nodiscard]] base::Result<std::string> passphrase(const std::optional<std::string>& file, bool fresh);

}  // namespace schultor::city
