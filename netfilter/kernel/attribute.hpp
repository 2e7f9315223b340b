// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <libmnl/libmnl.h>

#include <algorithm>
#include <cstddef>

namespace schultor::netfilter::kernel {

/// The whole message that these octets begin with; nothing when it is malformed or cut off. (mnl_nlmsg_ok of libmnl 1.0.4 takes
/// lengths from 2^31 on for negative ones.)
inline const nlmsghdr* message_at(const void* octets, std::size_t length) {
  if (length < sizeof(nlmsghdr)) return nullptr;
  const auto* message = static_cast<const nlmsghdr*>(octets);
  return message->nlmsg_len >= sizeof(nlmsghdr) && message->nlmsg_len <= length ? message : nullptr;
}

/// Calls `visit(const nlmsghdr&)` for each message in these octets as long as it gives true; false when they end in something else.
template <typename Visit>
bool for_each_message(const void* octets, std::size_t length, Visit visit) {
  const auto* at = static_cast<const char*>(octets);
  while (length > 0) {
    const nlmsghdr* message = message_at(at, length);
    if (!message) return false;
    if (!visit(*message)) return true;
    const std::size_t taken = std::min<std::size_t>(MNL_ALIGN(message->nlmsg_len), length);
    at += taken;
    length -= taken;
  }
  return true;
}

/// Calls `visit(const nlattr&)` for each whole attribute in these octets; what is cut off at their end is left out.
template <typename Visit>
void for_each_attribute(const void* octets, std::size_t length, Visit visit) {
  const auto* attribute = static_cast<const nlattr*>(octets);
  auto left = static_cast<int>(length);
  while (mnl_attr_ok(attribute, left)) {
    visit(*attribute);
    left -= static_cast<int>(MNL_ALIGN(attribute->nla_len));
    attribute = mnl_attr_next(attribute);
  }
}

template <typename Visit>
void for_each_nested(const nlattr& parent, Visit visit) {
  for_each_attribute(mnl_attr_get_payload(&parent), mnl_attr_get_payload_len(&parent), visit);
}

}  // namespace schultor::netfilter::kernel
