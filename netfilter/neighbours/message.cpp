// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/neighbours/message.hpp"

#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace schultor::netfilter::neighbours {
namespace {

/// Ages are told in ticks of this length, whatever the kernel's own clock (USER_HZ of asm/param.h).
constexpr std::chrono::milliseconds tick{10};

State state_of(std::uint16_t bits) {
  if ((bits & (NUD_PERMANENT | NUD_NOARP)) != 0) return State::fixed;
  if ((bits & NUD_REACHABLE) != 0) return State::confirmed;
  if ((bits & (NUD_DELAY | NUD_PROBE)) != 0) return State::in_use;
  return (bits & NUD_STALE) != 0 ? State::stale : State::unknown;
}

const std::uint8_t* octets_of(nlattr& attribute) { return static_cast<const std::uint8_t*>(nla_data(&attribute)); }

}  // namespace

std::optional<Link> link_of(nlmsghdr& message) {
  std::array<nlattr*, IFLA_MAX + 1> attributes{};
  if (nlmsg_parse(&message, sizeof(ifinfomsg), attributes.data(), IFLA_MAX, nullptr) < 0) return std::nullopt;
  const auto* head = static_cast<const ifinfomsg*>(nlmsg_data(&message));
  auto* name = attributes[IFLA_IFNAME];
  // Of another family are ports that come to a bridge and leave it: the interface stays.
  if (head->ifi_family != AF_UNSPEC || head->ifi_index <= 0 || name == nullptr) return std::nullopt;
  const auto size = static_cast<std::size_t>(std::max(nla_len(name), 0));
  const auto* text = static_cast<const char*>(nla_data(name));
  constexpr unsigned both = IFF_UP | IFF_RUNNING;
  return Link{static_cast<unsigned>(head->ifi_index), std::string(text, strnlen(text, size)), (head->ifi_flags & both) == both};
}

std::optional<Neighbour> neighbour_of(nlmsghdr& message) {
  std::array<nlattr*, NDA_MAX + 1> attributes{};
  if (nlmsg_parse(&message, sizeof(ndmsg), attributes.data(), NDA_MAX, nullptr) < 0) return std::nullopt;
  const auto* head = static_cast<const ndmsg*>(nlmsg_data(&message));
  const int length = head->ndm_family == AF_INET ? 4 : head->ndm_family == AF_INET6 ? 16 : 0;
  auto* address = attributes[NDA_DST];
  // A proxy's entry is of an address that this machine itself answers for.
  if (length == 0 || head->ndm_ifindex <= 0 || (head->ndm_flags & NTF_PROXY) != 0 || address == nullptr ||
      nla_len(address) != length)
    return std::nullopt;
  Neighbour neighbour{static_cast<unsigned>(head->ndm_ifindex),
                      base::address_from_bytes({octets_of(*address), static_cast<std::size_t>(length)})};
  neighbour.state = state_of(head->ndm_state);
  base::Mac mac;
  if (auto* lladdr = attributes[NDA_LLADDR]; lladdr != nullptr && nla_len(lladdr) == static_cast<int>(mac.octets.size())) {
    std::copy_n(octets_of(*lladdr), mac.octets.size(), mac.octets.begin());
    neighbour.mac = mac;
  }
  nda_cacheinfo times{};
  if (auto* info = attributes[NDA_CACHEINFO]; info != nullptr && nla_len(info) >= static_cast<int>(sizeof times)) {
    std::memcpy(&times, nla_data(info), sizeof times);
    neighbour.age = times.ndm_updated * tick;
  }
  return neighbour;
}

}  // namespace schultor::netfilter::neighbours
