// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"

#include <span>

namespace schultor::cache {

/// Whether an origin may be looked for there: a unicast address that is neither this machine's nor the link's, nor in one of the
/// networks `inside`; of an IPv4-mapped address what it maps to is judged.
[[nodiscard]] bool is_outside(const base::Address& address, std::span<const base::Prefix> inside);

}  // namespace schultor::cache
