// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/cache/messages.hpp"

#include <cstdint>
#include <optional>

namespace schultor::cache {

/// Of a longer body what is said of it is not renewed: it would be written to disk again for each word that an origin changes.
inline constexpr std::uint64_t longest_renewed = 256U << 10U;

/// A stored response, as it is to be stored anew: its origin has said that it still holds (304), and says other things of it than
/// are stored (RFC 9111, 3.2 and 4.3.4), which nginx does not take over by itself. `stored`: fields as they are stored, of a body
/// of `length` octets. None where nothing differs but what differs each time, such as Date. Pure.
[[nodiscard]] std::optional<FetchedHead> renewed(int status, const HeaderFields& stored, std::uint64_t length,
                                                 const FetchedHead& not_modified);

}  // namespace schultor::cache
