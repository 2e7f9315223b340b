// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/certified_hosts.hpp"

#include "daemon/base/file.hpp"
#include "daemon/cache/certificates.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace schultor::cache {
namespace {

std::string identity_of(const std::string& path) {
  struct stat about {};
  if (stat(path.c_str(), &about) != 0) return {};
  return fmt::format("{} {}.{} {}", about.st_ino, about.st_mtim.tv_sec, about.st_mtim.tv_nsec, about.st_size);
}

/// None of one that is of no use, whatever the time; one whose time is not now may come into use.
std::optional<Validity> validity_of(const std::string& path, const std::string& host, sys_seconds now) {
  const auto text = base::read_file(path, largest_pem);
  if (!text || !*text) return std::nullopt;
  const auto examined = examine(**text, host, now);
  if (examined.fault && *examined.fault != CertificateFault::expired && *examined.fault != CertificateFault::not_yet_valid)
    return std::nullopt;
  return examined.validity;
}

}  // namespace

CertifiedHosts::Known& CertifiedHosts::look(const std::string& host, sys_seconds now) {
  const auto path = fmt::format("{}/{}.pem", directory_, host);
  auto& known = known_[host];
  if (auto identity = identity_of(path); identity != known.identity) {
    known.identity = std::move(identity);
    known.validity = known.identity.empty() ? std::nullopt : validity_of(path, host, now);
    ++edition_;
  }
  return known;
}

std::vector<std::string> CertifiedHosts::among(const std::vector<std::string>& hosts, sys_seconds now) {
  std::vector<std::string> certified;
  for (const auto& host : hosts)
    if (const auto& known = look(host, now); known.validity && known.validity->holds(now)) certified.push_back(host);
  std::sort(certified.begin(), certified.end());
  return certified;
}

}  // namespace schultor::cache
