// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/port_range.hpp"

#include <fmt/format.h>

#include <netinet/in.h>

#include <algorithm>

namespace schultor::base {

std::string to_string(const PortRange& range) {
  const auto protocol = range.protocol == IPPROTO_TCP   ? std::string("tcp")
                        : range.protocol == IPPROTO_UDP ? std::string("udp")
                                                        : std::to_string(range.protocol);
  return range.first == range.last ? fmt::format("{} {}", protocol, range.first)
                                   : fmt::format("{} {}-{}", protocol, range.first, range.last);
}

std::vector<PortRange> merged(std::vector<PortRange> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<PortRange> result;
  for (const auto& range : ranges) {
    if (range.last < range.first) continue;
    const bool joins = !result.empty() && result.back().protocol == range.protocol && range.first <= result.back().last + 1;
    if (joins) result.back().last = std::max(result.back().last, range.last);
    else result.push_back(range);
  }
  return result;
}

std::size_t count_ports(const std::vector<PortRange>& ranges) {
  std::size_t count = 0;
  for (const auto& range : ranges) count += std::size_t{range.last} - range.first + 1;
  return count;
}

}  // namespace schultor::base
