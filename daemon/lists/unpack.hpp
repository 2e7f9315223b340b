// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace schultor::lists {

/// The text of a list that was downloaded: as it is, packed with gzip, or in a tar archive, also a packed one, as UT1 publishes
/// them
/// (`adult/domains` beside files that are no lists of names). Of an archive its regular files named `domains`, `hosts`, `adblock`
/// or `rpz`, or with such an ending, are taken, where all of them lie in one folder; nothing is ever written under a name of its.
/// Stops at `most` octets, unpacked and passed over ones counted.
[[nodiscard]] base::Result<std::string> unpack(int fd, std::size_t most);
/// The same of octets.
[[nodiscard]] base::Result<std::string> unpack(std::span<const std::byte> octets, std::size_t most);

}  // namespace schultor::lists
