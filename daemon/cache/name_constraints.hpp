// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/cache/x509.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct NAME_CONSTRAINTS_st;

/// What a certificate authority may speak for (RFC 5280, 4.2.1.10).
namespace schultor::cache {

/// The name constraints of a certificate, as far as they concern the cache.
struct NameConstraints {
  bool present = false;
  bool critical = false;
  bool readable = false;               ///< once, well-formed, without minimum and maximum
  std::vector<std::string> permitted;  ///< DNS names, lower case, as they stand there: each means itself and all below it
  bool permits_others = false;         ///< names that are none of DNS
  bool excludes_ipv4 = false;          ///< all addresses
  bool excludes_ipv6 = false;
  bool excludes_mail = false;
  bool excludes_uri = false;

  /// Whether they let a certificate for `host` pass. Without any DNS name nothing passes.
  [[nodiscard]] bool permit(std::string_view host) const;
};

[[nodiscard]] NameConstraints name_constraints_of(const Certificate& certificate);

/// Whether `name` is `ancestor` or below it. Both lower case.
[[nodiscard]] bool is_within(std::string_view name, std::string_view ancestor);

struct FreeNameConstraints {
  void operator()(NAME_CONSTRAINTS_st* constraints) const noexcept;
};
/// Permits these hosts, and excludes all addresses, mailboxes and URIs. Null where there is no memory.
[[nodiscard]] std::unique_ptr<NAME_CONSTRAINTS_st, FreeNameConstraints> make_name_constraints(std::span<const std::string> hosts);

}  // namespace schultor::cache
