// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <libmnl/libmnl.h>

#include <cstddef>

namespace schultor::netfilter::kernel {

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
