// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/cache/certificates.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

/// The folder of the box's certificates: HOST.pem for each host of an https origin, as issue() makes it.
///
/// A file is replaced or removed by one step (rename(2), unlink(2)) and never changed: whoever watches the folder and reads what
/// bears such a name has a pair that belongs together, also after a power cut.
namespace schultor::cache {

/// When a certificate is replaced: where no more than this part of its life is left.
inline constexpr int renewed_at_a_part_of = 3;
/// From then on people are told of an authority that ends.
inline constexpr std::chrono::days authority_ends_soon{30};

/// Why a certificate is to be made anew.
enum class Renewal : std::uint8_t {
  none,             ///< it is good as it is
  missing,          ///< there is none
  useless,          ///< a CertificateFault
  other_authority,  ///< another authority is in use now
  ending,           ///< little of its life is left, and a new one lives longer
};
/// `found`: what lies there, if anything does. Pure.
[[nodiscard]] Renewal renewal_of(const std::optional<Examined>& found, const Certificate& authority, sys_seconds now);

/// What the folder is to be like.
struct Wanted {
  std::vector<std::string> hosts;   ///< of https origins, as check_host() wants them
  std::optional<Signer> authority;  ///< one without faults_of(); none: nothing is made
  sys_seconds now;
  bool clock_synchronised = true;
};

/// What became of it. Hosts in the order of Wanted.
struct Tended {
  struct Refused {
    std::string host;
    std::string why;
  };
  std::vector<std::string> made;
  std::vector<std::string> removed;
  std::vector<Refused> refused;
  std::vector<std::string> without;  ///< hosts that have no certificate that is good now, whatever the reason
  /// The clock is behind certificates that lie there, and nobody has set it since the machine started: nothing was made.
  bool clock_doubted = false;
};

/// Makes, renews and removes in `directory`, which is there. A host whose certificate cannot be made or written keeps what it has.
/// Fails where the folder cannot be read, and while somebody else does the same. Files that bear other names are left alone.
[[nodiscard]] base::Result<Tended> tend(const std::string& directory, const Wanted& wanted);

}  // namespace schultor::cache
