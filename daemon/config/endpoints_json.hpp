// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/diagnostic.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::config {

/// A text of an entry and the line it stands on.
struct EndpointText {
  std::string value;
  int line = 0;
};

/// An entry of an endpoint list as it is written: nothing is checked but the JSON types of the members that are known. Of a
/// member that occurs twice the last counts.
struct EndpointEntry {
  struct Fault {
    std::string text;  ///< "urls: expected a list of names"
    int line = 0;
  };

  int line = 0;
  std::optional<std::uint64_t> id;
  std::optional<EndpointText> service_area;
  std::optional<bool> required;
  std::vector<EndpointText> urls;
  std::vector<EndpointText> ips;
  std::optional<EndpointText> tcp_ports;
  std::optional<EndpointText> udp_ports;
  std::vector<Fault> faults;
};

/// The entries in their order. What is no list of entries, or beyond the bounds of endpoints.hpp, is an error, and there is
/// nothing then.
[[nodiscard]] std::optional<std::vector<EndpointEntry>> read_endpoint_entries(std::string_view json, const std::string& file,
                                                                              Diagnostics& out);

}  // namespace schultor::config
