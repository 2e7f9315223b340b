// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/networks.hpp"

namespace schultor::base {

bool contains(const Prefix& whole, const Prefix& part) { return whole.length <= part.length && contains(whole, part.address); }

bool overlap(const Prefix& one, const Prefix& other) { return contains(one, other) || contains(other, one); }

Prefix host(const Address& address) { return {address, static_cast<std::uint8_t>(8 * address.bytes().size())}; }

}  // namespace schultor::base
