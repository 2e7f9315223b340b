// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/neighbours/table.hpp"

#include <optional>

struct nlmsghdr;

/// Messages of rtnetlink (rtnetlink(7), linux/rtnetlink.h, linux/neighbour.h), read by libnl.
namespace schultor::netfilter::neighbours {

/// RTM_NEWLINK, RTM_DELLINK. None where it is of something else, as of a bridge's port, or malformed.
[[nodiscard]] std::optional<Link> link_of(nlmsghdr& message);
/// RTM_NEWNEIGH, RTM_DELNEIGH of IPv4 and IPv6. None where it is of something else, as of a bridge's forwarding, or malformed.
[[nodiscard]] std::optional<Neighbour> neighbour_of(nlmsghdr& message);

}  // namespace schultor::netfilter::neighbours
