// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"
#include "daemon/base/result.hpp"
#include "daemon/base/unique_fd.hpp"

namespace schultor::dns {

/// A non-blocking socket of `type` (SOCK_DGRAM, SOCK_STREAM) that is connected to the resolver, or, a stream, about to be.
[[nodiscard]] base::Result<base::UniqueFd> connect_to_resolver(const base::Endpoint& resolver, int type);

}  // namespace schultor::dns
