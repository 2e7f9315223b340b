// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"
#include "daemon/base/port_range.hpp"
#include "daemon/config/diagnostic.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::config {

using base::PortRange;

/// One entry of an endpoint list: names that are the cloud's on these ports, and addresses that are on the same.
struct Endpoint {
  std::uint64_t id = 0;            ///< the list's own
  std::vector<std::string> names;  ///< as published: "*cdn.onenote.net"
  std::vector<base::Prefix> prefixes;
  std::vector<PortRange> ports;  ///< sorted, merged
  Source source;                 ///< of the entry
  bool operator==(const Endpoint&) const = default;
};

/// Which entries of a list are taken.
struct EndpointSelection {
  bool optional = false;                   ///< also entries that are not `required`
  std::vector<std::string> service_areas;  ///< "Exchange", "SharePoint", …; empty: all. "Common" is always taken
};

/// What bounds a list: one beyond it is refused.
inline constexpr std::size_t most_endpoints = 2000;         ///< entries
inline constexpr std::size_t most_endpoint_values = 20000;  ///< names and addresses of all entries

/// Reads a list as Microsoft 365's web service publishes it
/// (https://learn.microsoft.com/en-us/microsoft-365/enterprise/microsoft-365-ip-web-service).
/// Members that nobody asks for are passed over, and so are faults of entries that are not taken; what is wrong with one that is
/// taken is an error. Addresses are those of the internet, at least a /8 (IPv4) or a /16 (IPv6).
[[nodiscard]] std::vector<Endpoint> read_endpoints(std::string_view json, const std::string& file,
                                                   const EndpointSelection& selection, Diagnostics& out);

}  // namespace schultor::config
