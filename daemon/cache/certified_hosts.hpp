// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/cache/x509.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace schultor::cache {

/// Which hosts have a certificate that is good now. Files are read again when they are others: looking is cheap, once a second.
class CertifiedHosts {
public:
  explicit CertifiedHosts(std::string directory) : directory_(std::move(directory)) {}

  /// Of `hosts` those that have one, in order.
  [[nodiscard]] std::vector<std::string> among(const std::vector<std::string>& hosts, sys_seconds now);
  /// Changes whenever a file does that among() has looked at: nginx is to read it again then.
  [[nodiscard]] std::uint64_t edition() const { return edition_; }

private:
  struct Known {
    std::string identity;  ///< of the file; empty: there is none
    std::optional<Validity> validity;
  };
  Known& look(const std::string& host, sys_seconds now);

  std::string directory_;
  std::map<std::string, Known> known_;
  std::uint64_t edition_ = 0;
};

}  // namespace schultor::cache
