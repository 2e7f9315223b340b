// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/port_range.hpp"

#include <fmt/format.h>

#include <netinet/in.h>

#include <algorithm>
#include <charconv>

namespace schultor::base {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// 0 where it is none.
std::uint16_t parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && text.front() != '0' ? port : std::uint16_t{0};
}

}  // namespace

std::optional<PortRange> parse_ports(std::uint8_t protocol, std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_port(trimmed(text.substr(0, dash)));
  const auto last = dash == std::string_view::npos ? first : parse_port(trimmed(text.substr(dash + 1)));
  return first != 0 && first <= last ? std::optional(PortRange{protocol, first, last}) : std::nullopt;
}

std::optional<PortRange> parse_service(std::string_view text) {
  const auto slash = text.find('/');
  const auto protocol = text.substr(0, slash);
  if (slash == std::string_view::npos || text.find(' ') != std::string_view::npos || (protocol != "tcp" && protocol != "udp"))
    return std::nullopt;
  return parse_ports(protocol == "tcp" ? IPPROTO_TCP : IPPROTO_UDP, text.substr(slash + 1));
}

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
