// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/message.hpp"

#include <functional>
#include <optional>
#include <vector>

/// Service bindings: what SVCB and HTTPS records hold (RFC 9460). Pure.
namespace schultor::dns {

/// Keys of the IANA registry "Service Parameter Keys (SvcParamKeys)".
namespace svc_key {
inline constexpr std::uint16_t mandatory = 0, ipv4hint = 4, ech = 5, ipv6hint = 6, dohpath = 7;
}  // namespace svc_key

struct ServiceBinding {
  struct Param {
    std::uint16_t key = 0;
    Bytes value;
  };
  std::uint16_t priority = 0;
  Name target;                ///< the root: the record's owner, or with priority 0 that there is no such service
  std::vector<Param> params;  ///< in the order of their keys

  /// An alias sends the client to the target's own records; its parameters mean nothing.
  [[nodiscard]] bool is_alias() const { return priority == 0; }
  [[nodiscard]] const Param* find(std::uint16_t key) const;
};

/// None when malformed by RFC 9460, section 2.2 and the formats of the keys above: the client is to leave out the whole set then.
[[nodiscard]] std::optional<ServiceBinding> read_service_binding(const Record& record);
[[nodiscard]] Bytes write_service_binding(const ServiceBinding& binding);

/// Takes the parameter out. False when the record says that a client which lacks it must not use the record.
[[nodiscard]] bool remove_param(ServiceBinding& binding, std::uint16_t key);
/// Takes out the hints that `may_pass` refuses. False as remove_param().
[[nodiscard]] bool keep_hints(ServiceBinding& binding, const std::function<bool(const base::Address&)>& may_pass);

}  // namespace schultor::dns
