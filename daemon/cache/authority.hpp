// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/cache/x509.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The two authorities above a host's certificate: the city's device CA, which school-owned tablets trust, and the school's, which
/// lies on the box and may speak for the hosts of cached origins alone.
namespace schultor::cache {

/// Certificates begin so long before the instant at which they are made: clocks of tablets are not all the same.
inline constexpr std::chrono::hours backdated{1};
inline constexpr std::chrono::days device_authority_life{3652};
inline constexpr std::chrono::days school_authority_life{365};
/// Of names in subjects, in octets (RFC 5280, ub-common-name).
inline constexpr std::size_t longest_common_name = 64;

/// The city's device CA: may have authorities below it, which have none.
[[nodiscard]] base::Result<Signer> make_device_authority(Curve curve, std::string_view name, sys_seconds now);
/// A school's: for these hosts, which must be as check_host() wants them, and no longer than `device` lives.
[[nodiscard]] base::Result<Signer> make_school_authority(const Signer& device, std::string_view name,
                                                         std::span<const std::string> hosts, sys_seconds now);

/// Reads a school's authority as it lies on the box: one certificate, and its key without a passphrase.
[[nodiscard]] base::Result<Signer> read_authority(std::string_view certificate, std::string_view key);

/// Whatever forbids to use `authority` for a school whose cached origins have these hosts, each in words; empty: it may be used.
/// Its life is not looked at. The certificate must say by itself that it is a CA with none below it, that its certificates are for
/// TLS servers only, and, by critical name constraints, that it speaks for names within `hosts` and for no address, mailbox or URI.
[[nodiscard]] std::vector<std::string> faults_of(const Certificate& authority, std::span<const std::string> hosts);

/// The authority that lies on the box, or why it is of no use.
struct FoundAuthority {
  std::optional<Signer> usable;
  std::string refusal;              ///< what is wrong with one that is there; empty where it is usable or there is none
  std::optional<sys_seconds> ends;  ///< of one that could be read
};
/// Reads what read_authority() reads and asks faults_of(), and whether it is valid `now`. Two texts of nothing but blanks: there is
/// none.
[[nodiscard]] FoundAuthority find_authority(std::string_view certificate, std::string_view key, std::span<const std::string> hosts,
                                            sys_seconds now);

}  // namespace schultor::cache
