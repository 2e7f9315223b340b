// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/cache/authority.hpp"
#include "daemon/cache/x509.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The certificate that the box shows for one host of a cached origin, in one text of PEM: its key, itself, the school's authority.
/// nginx reads all three from the one file, so that a key and a certificate that do not belong together are never in force.
namespace schultor::cache {

inline constexpr std::chrono::days certificate_life{90};

/// A new key, and a certificate for `host` alone by `authority`, from an hour before `now` for 90 days, or as long as `authority`
/// lives. Whether that may speak for the host is not asked: see examine().
[[nodiscard]] base::Result<std::string> issue(const Signer& authority, const std::string& host, sys_seconds now);

/// Why a host's certificate is of no use.
enum class CertificateFault : std::uint8_t {
  unreadable,     ///< not a key and two certificates
  other_key,      ///< the key belongs to another certificate
  broken_chain,   ///< not signed by the authority beside it, or not as one that names a TLS server
  not_permitted,  ///< the authority may not speak for it, or is bound to nothing
  other_host,     ///< it is another host's
  not_yet_valid,
  expired,
};
[[nodiscard]] std::string_view to_string(CertificateFault fault);

/// What is found out about a host's certificate by looking at it.
struct Examined {
  std::optional<CertificateFault> fault;  ///< the first that applies, in the order of the enumeration
  Validity validity{};                    ///< while it and its authority hold; unless it is unreadable
  Fingerprint authority{};                ///< of the authority beside it; unless it is unreadable
};
/// Looks at it as a tablet would that trusts the authority beside it, at the instant `now`.
[[nodiscard]] Examined examine(std::string_view pem, const std::string& host, sys_seconds now);

}  // namespace schultor::cache
