// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/lists/collection.hpp"
#include "daemon/lists/sip_hash.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace schultor::lists {

/// A table's octets: those of a file that Table reads.
using Image = std::vector<std::byte>;

/// How names are hashed; another way than Table's only in tests.
using HashOfName = std::uint64_t (*)(const SipKey& key, std::string_view name);

/// Makes one table of all lists. The same collection gives the same octets, key included: it derives from what is in the lists, so
/// that nobody can prepare names that crowd one place. Where two names have the same hash, another key is taken.
/// Fails if the lists overlap in more than 65,535 ways, or the collection is full. Pure.
[[nodiscard]] base::Result<Image> build(const Collection& collection, HashOfName hash = hash_of_name);

}  // namespace schultor::lists
