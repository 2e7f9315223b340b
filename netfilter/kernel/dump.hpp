// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "netfilter/model/found.hpp"

#include <cstdint>
#include <string>

struct mnl_socket;

namespace schultor::netfilter::kernel {

/// Reads table inet `table` by dumps; once more, a bounded number of times, when the ruleset changed in between.
/// `sequence` is the next free sequence number of the socket and moves on.
base::Result<model::Found> read_table(mnl_socket& socket, std::uint32_t& sequence, const std::string& table);

}  // namespace schultor::netfilter::kernel
