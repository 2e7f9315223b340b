// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"

/// How networks lie to each other. Those of different families have nothing in common.
namespace schultor::base {

/// Whether all of `part` lies in `whole`.
[[nodiscard]] bool contains(const Prefix& whole, const Prefix& part);
/// Whether an address is in both: of two networks one then lies in the other.
[[nodiscard]] bool overlap(const Prefix& one, const Prefix& other);
/// The network of this one address.
[[nodiscard]] Prefix host(const Address& address);

}  // namespace schultor::base
