// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"
#include "daemon/config/diagnostic.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::config {

struct PortRange {
  std::uint8_t protocol = 0;  ///< IPPROTO_TCP or IPPROTO_UDP
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  auto operator<=>(const PortRange&) const = default;
};

/// One entry of an endpoint list: names that are the cloud's on these ports, and addresses that are on the same.
struct Endpoint {
  std::uint64_t id = 0;               ///< the list's own
  std::vector<std::string> names;     ///< as published: "*cdn.onenote.net"
  std::vector<base::Prefix> prefixes;
  std::vector<PortRange> ports;       ///< sorted, merged
  Source source;                      ///< of the entry
  bool operator==(const Endpoint&) const = default;
};

/// Which entries of a list are taken.
struct EndpointSelection {
  bool optional = false;                   ///< also entries that are not `required`
  std::vector<std::string> service_areas;  ///< "Exchange", "SharePoint", …; empty: all. "Common" is always taken
};

/// Reads a list as Microsoft 365's web service publishes it
/// (https://learn.microsoft.com/en-us/microsoft-365/enterprise/microsoft-365-ip-web-service).
[[nodiscard]] std::vector<Endpoint> read_endpoints(std::string_view json, const std::string& file,
                                                   const EndpointSelection& selection, Diagnostics& out);

}  // namespace schultor::config
