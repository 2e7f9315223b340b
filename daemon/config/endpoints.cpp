// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/endpoints.hpp"

#include "daemon/base/networks.hpp"
#include "daemon/config/endpoints_json.hpp"

#include <fmt/format.h>

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>
#include <utility>

namespace schultor::config {
namespace {

constexpr std::size_t most_ranges = 64;  ///< of one text of ports
constexpr std::uint8_t widest4 = 8;
constexpr std::uint8_t widest6 = 16;
constexpr std::string_view always_taken = "Common";

/// RFC 6890, what is not global and unicast. The documentation networks are left out: nothing lives there but test beds.
constexpr std::array<std::string_view, 12> not_public{
    "0.0.0.0/8",    "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3", "2001::/32",      "2002::/16",
};
constexpr std::string_view global_unicast6 = "2000::/3";

bool is_public(const base::Prefix& prefix) {
  if (prefix.address.family == base::Family::ipv6 && !base::contains(*base::parse_prefix(global_unicast6), prefix.address))
    return false;
  return std::none_of(not_public.begin(), not_public.end(),
                      [&](std::string_view text) { return overlap(*base::parse_prefix(text), prefix); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// Cuts off what stands before the first `separator`, all of it where there is none.
std::string_view take_until(std::optional<std::string_view>& rest, char separator) {
  const auto at = rest->find(separator);
  const auto part = rest->substr(0, at);
  if (at == std::string_view::npos) rest.reset();
  else rest->remove_prefix(at + 1);
  return part;
}

/// "80,443", "143, 587", "3478-3481"
std::optional<std::vector<PortRange>> parse_port_list(std::string_view text, std::uint8_t protocol) {
  std::vector<PortRange> ranges;
  for (std::optional<std::string_view> rest = text; rest;) {
    const auto range = base::parse_ports(protocol, trimmed(take_until(rest, ',')));
    if (!range || ranges.size() == most_ranges) return std::nullopt;
    ranges.push_back(*range);
  }
  return ranges;
}

/// Makes endpoints of a list's entries.
class Selector {
public:
  Selector(std::string file, const EndpointSelection& selection, Diagnostics& out)
      : file_(std::move(file)), selection_(selection), out_(out) {}

  std::vector<Endpoint> select(const std::vector<EndpointEntry>& entries) {
    check_areas(entries);
    std::vector<Endpoint> endpoints;
    for (const auto& entry : entries) {
      what_ = entry.id ? fmt::format("entry {}", *entry.id) : std::string("an entry without id");
      if (is_taken(entry)) endpoints.push_back(read(entry));
    }
    if (entries.empty()) out_.error({file_, 1, 0}, "the list holds no entry, expected those of the cloud");
    else if (endpoints.empty() && !out_.has_errors())
      out_.warning({file_, 1, 0},
                   fmt::format("no entry of the list is taken, so it opens nothing: none {}",
                               selection_.optional ? "is of the service areas asked for" : "that is asked for is required"));
    return endpoints;
  }

private:
  void error(int line, const std::string& text) { out_.error({file_, line, 0}, fmt::format("{}: {}", what_, text)); }

  void check_areas(const std::vector<EndpointEntry>& entries) {
    std::set<std::string_view> known;
    for (const auto& entry : entries)
      if (entry.service_area) known.insert(entry.service_area->value);
    for (const auto& area : selection_.service_areas)
      if (!known.contains(area))
        out_.error({file_, 1, 0}, fmt::format("city.toml asks for service area “{}”, which no entry of the list is in{}", area,
                                              suggestion(area, {known.begin(), known.end()})));
  }

  /// Whether the selection asks for the entry; where it does not say what is asked about, that is an error.
  bool is_taken(const EndpointEntry& entry) {
    bool knows = true;
    const auto complain = [&](std::string_view member, std::string_view expected) {
      // Where its type is wrong, that is what there is to say.
      if (entry.faults.empty()) error(entry.line, fmt::format("{} is missing, expected {}", member, expected));
      knows = false;
    };
    if (!entry.service_area && !selection_.service_areas.empty()) complain("serviceArea", "a text such as \"Exchange\"");
    if (!entry.required && !selection_.optional) complain("required", "true or false");
    if (!knows) {
      tell_faults(entry);
      return false;
    }
    if (!selection_.optional && !*entry.required) return false;
    const auto& areas = selection_.service_areas;
    return areas.empty() || entry.service_area->value == always_taken ||
           std::find(areas.begin(), areas.end(), entry.service_area->value) != areas.end();
  }

  void tell_faults(const EndpointEntry& entry) {
    for (const auto& fault : entry.faults) error(fault.line, fault.text);
  }

  Endpoint read(const EndpointEntry& entry) {
    tell_faults(entry);
    Endpoint endpoint;
    endpoint.source = {file_, entry.line, 0};
    if (entry.id) endpoint.id = *entry.id;
    else if (entry.faults.empty()) error(entry.line, "expected one, a number from 0 up");
    for (const auto& name : entry.urls) endpoint.names.push_back(name.value);
    for (const auto& text : entry.ips)
      if (const auto prefix = read_prefix(text)) endpoint.prefixes.push_back(*prefix);
    if (entry.urls.empty() && entry.ips.empty() && entry.faults.empty())
      error(entry.line, "neither urls nor ips, expected names, addresses or both");
    read_ports(entry, endpoint);
    return endpoint;
  }

  std::optional<base::Prefix> read_prefix(const EndpointText& text) {
    const auto prefix = base::parse_prefix(text.value);
    if (!prefix) {
      error(text.line, fmt::format("ips: {}", prefix.error().what()));
      return std::nullopt;
    }
    const auto widest = prefix->address.family == base::Family::ipv4 ? widest4 : widest6;
    if (prefix->length < widest)
      error(text.line, fmt::format("ips: {} is open always and far too wide: expected at least a /{}", text.value, widest));
    else if (!is_public(*prefix))
      error(text.line, fmt::format("ips: {} is not of the internet: expected addresses of the cloud", text.value));
    else return *prefix;
    return std::nullopt;
  }

  void read_ports(const EndpointEntry& entry, Endpoint& endpoint) {
    const auto add = [&](const std::optional<EndpointText>& text, std::string_view member, std::uint8_t protocol) {
      if (!text) return;
      const auto ranges = parse_port_list(text->value, protocol);
      if (ranges) endpoint.ports.insert(endpoint.ports.end(), ranges->begin(), ranges->end());
      else
        error(text->line, fmt::format("{}: “{}” is no list of at most {} ports: expected one such as “80,443” or “3478-3481”",
                                      member, text->value, most_ranges));
    };
    add(entry.tcp_ports, "tcpPorts", IPPROTO_TCP);
    add(entry.udp_ports, "udpPorts", IPPROTO_UDP);
    if (!entry.tcp_ports && !entry.udp_ports && entry.faults.empty())
      error(entry.line, "neither tcpPorts nor udpPorts, expected a text such as \"80,443\"");
    endpoint.ports = base::merged(std::move(endpoint.ports));
  }

  std::string file_;
  const EndpointSelection& selection_;
  Diagnostics& out_;
  std::string what_;  ///< the entry at hand, as messages name it
};

}  // namespace

std::vector<Endpoint> read_endpoints(std::string_view json, const std::string& file, const EndpointSelection& selection,
                                     Diagnostics& out) {
  const auto entries = read_endpoint_entries(json, file, out);
  if (!entries) return {};
  return Selector(file, selection, out).select(*entries);
}

}  // namespace schultor::config
