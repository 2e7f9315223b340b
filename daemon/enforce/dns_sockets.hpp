// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/base/unique_fd.hpp"
#include "netfilter/planner/build.hpp"

#include <cstdint>

namespace schultor::enforce {

/// The sockets that the gate answers on. It may not open them itself: receiving a packet's mark wants a right over the
/// network on some kernels (SO_RCVMARK, socket(7)).
struct DnsSockets {
  base::UniqueFd udp;  ///< [::]:port, dual stack; tells each packet's mark and the address it was sent to
  base::UniqueFd tcp;  ///< listening; a connection carries its first packet's mark (net.ipv4.tcp_fwmark_accept)
};

/// SO_REUSEPORT lets a restarted schultord open its own while the gate still answers on those of its predecessor.
[[nodiscard]] base::Result<DnsSockets> open_dns_sockets(std::uint16_t port = netfilter::planner::gate_port);

}  // namespace schultor::enforce
