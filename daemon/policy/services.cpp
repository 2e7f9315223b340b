// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/services.hpp"

#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>

namespace schultor::policy {
namespace {

/// `ports` but for `without`.
Ports remaining(const Ports& ports, const base::PortRange& without) {
  Ports rest;
  for (const auto& range : ports) {
    if (!overlap(range, without)) {
      rest.push_back(range);
      continue;
    }
    if (range.first < without.first) rest.push_back({range.protocol, range.first, static_cast<std::uint16_t>(without.first - 1)});
    if (range.last > without.last) rest.push_back({range.protocol, static_cast<std::uint16_t>(without.last + 1), range.last});
  }
  return rest;
}

}  // namespace

bool overlap(const base::PortRange& one, const base::PortRange& other) {
  return one.protocol == other.protocol && one.first <= other.last && other.first <= one.last;
}

const Ports& bypass_services() {
  static const Ports ports = base::merged({
      {IPPROTO_UDP, 500, 500},      // IKE (RFC 7296)
      {IPPROTO_UDP, 4500, 4500},    // IPsec through NAT (RFC 3948)
      {IPPROTO_UDP, 1701, 1701},    // L2TP (RFC 2661)
      {IPPROTO_TCP, 1723, 1723},    // PPTP (RFC 2637)
      {IPPROTO_TCP, 1194, 1194},    // OpenVPN
      {IPPROTO_UDP, 1194, 1194},    //
      {IPPROTO_UDP, 51820, 51820},  // WireGuard
      {IPPROTO_UDP, 41641, 41641},  // Tailscale
      {IPPROTO_UDP, 9993, 9993},    // ZeroTier
      {IPPROTO_UDP, 784, 784},      // DNS over QUIC, as it was before RFC 9250
      {IPPROTO_UDP, 8853, 8853},    //
      {IPPROTO_TCP, 1080, 1080},    // SOCKS (RFC 1928)
      {IPPROTO_TCP, 3128, 3128},    // HTTP proxies
      {IPPROTO_TCP, 8080, 8080},    //
      {IPPROTO_TCP, 8118, 8118},    //
      {IPPROTO_TCP, 8888, 8888},    //
      {IPPROTO_TCP, 9001, 9001},    // Tor's relays and directories, and its proxies
      {IPPROTO_TCP, 9030, 9030},    //
      {IPPROTO_TCP, 9050, 9050},    //
      {IPPROTO_TCP, 9150, 9150},    //
  });
  return ports;
}

const Ports& listed_services() {
  static const Ports ports = base::merged({
      {IPPROTO_UDP, 80, 80},
      {IPPROTO_UDP, 443, 443},
      {IPPROTO_UDP, 8443, 8443},
      {IPPROTO_TCP, 22, 22},
  });
  return ports;
}

Ports closed_unless_opened(bool listed, bool bypass) {
  if (!listed && !bypass) return {};
  auto closed = bypass_services();
  if (listed) closed.insert(closed.end(), listed_services().begin(), listed_services().end());
  return base::merged(std::move(closed));
}

std::optional<Ports> closed_services(const config::Profile& profile, bool of_city, bool bypass, config::Diagnostics& out) {
  auto closed = closed_unless_opened(profile.access == config::Access::listed, bypass);
  if (closed.empty()) return std::nullopt;
  for (const auto& service : profile.services) {
    const bool is_citys = !of_city && bypass &&
                          std::any_of(bypass_services().begin(), bypass_services().end(),
                                      [&](const auto& range) { return overlap(range, service.value); });
    if (is_citys)
      out.error(service.source,
                fmt::format("services: {} is closed by the city's [never] bypass = true: only a profile of the city's "
                            "opens it",
                            base::to_string(service.value)));
    else closed = remaining(closed, service.value);
  }
  return closed;
}

}  // namespace schultor::policy
