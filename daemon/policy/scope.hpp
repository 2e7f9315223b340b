// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <cstdint>

namespace schultor::policy {

/// Of all files together: each is a bit of what the cache says is well.
inline constexpr std::size_t most_origins = 64;

/// Whose questions for an origin's names are answered with the box's own addresses.
enum class Scope : std::uint8_t {
  school,  ///< school-owned tablets alone
  all,     ///< everybody; who knows no certificate of the box is passed on to the origin itself
};

}  // namespace schultor::policy
