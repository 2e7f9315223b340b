// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/special_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace schultor::policy {
namespace {

struct Zone {
  std::string_view name;
  std::string_view rule;
};
/// Nothing below these is asked of the internet. "test" is left to the resolver: test beds live there.
constexpr std::array absent_zones{
    Zone{"alt", "alt (RFC 9476)"},         Zone{"home.arpa", "home.arpa (RFC 8375)"}, Zone{"internal", "internal (ICANN, 2024)"},
    Zone{"invalid", "invalid (RFC 6761)"}, Zone{"local", "local (RFC 6762)"},         Zone{"onion", "onion (RFC 7686)"},
};
/// Of RFC 6303: fc00::/7 and fe80::/10.
constexpr std::array<std::string_view, 6> absent_reverse6{"c.f.ip6.arpa",   "d.f.ip6.arpa",   "8.e.f.ip6.arpa",
                                                          "9.e.f.ip6.arpa", "a.e.f.ip6.arpa", "b.e.f.ip6.arpa"};
constexpr std::string_view reverse_rule = "the reverse of a private address (RFC 6303)";

bool is_within(std::string_view name, std::string_view zone) {
  return name == zone || (name.size() > zone.size() && name.ends_with(zone) && name[name.size() - zone.size() - 1] == '.');
}

bool is_below(std::string_view name, std::string_view above) { return name != above && (above.empty() || is_within(name, above)); }

/// The last label of `name`, cut off it, as an octet; none when it is no number.
std::optional<unsigned> take_octet(std::string_view& name) {
  const auto dot = name.rfind('.');
  const auto label = dot == std::string_view::npos ? name : name.substr(dot + 1);
  name = dot == std::string_view::npos ? std::string_view{} : name.substr(0, dot);
  unsigned octet = 0;
  const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), octet);
  return error == std::errc{} && end == label.data() + label.size() && octet < 256 ? std::optional(octet) : std::nullopt;
}

/// RFC 6303 and, for 100.64.0.0/10, RFC 7793. The documentation networks are left out as they are for addresses.
bool is_private_reverse4(std::string_view name) {
  constexpr std::string_view zone = ".in-addr.arpa";
  if (!name.ends_with(zone)) return false;
  name.remove_suffix(zone.size());
  const auto first = take_octet(name);
  if (!first) return false;
  if (*first == 0 || *first == 10 || *first == 127) return true;
  const auto second = take_octet(name);
  if (!second) return false;
  return (*first == 169 && *second == 254) || (*first == 192 && *second == 168) || (*first == 172 && *second / 16 == 1) ||
         (*first == 100 && *second / 64 == 1) || (*first == 255 && *second == 255);
}

bool is_private_reverse6(std::string_view name) {
  if (std::any_of(absent_reverse6.begin(), absent_reverse6.end(), [&](auto zone) { return is_within(name, zone); })) return true;
  // :: and ::1, whose names are those of 31 zeros below ip6.arpa.
  constexpr std::string_view zeros = "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa";
  return name.size() == zeros.size() + 2 && is_below(name, zeros) && (name[0] == '0' || name[0] == '1');
}

std::optional<std::string_view> absent_zone(std::string_view name) {
  for (const auto& zone : absent_zones)
    if (is_within(name, zone.name)) return zone.rule;
  if (is_private_reverse4(name) || is_private_reverse6(name)) return reverse_rule;
  return std::nullopt;
}

/// Whether a name that exists here lies below: NXDOMAIN would deny it (RFC 8020).
bool has_own_below(const GateRules& rules, std::string_view name) {
  if (is_below(gateway_name, name) || rules.local.reaches_below(name)) return true;
  return std::any_of(rules.lan.begin(), rules.lan.end(),
                     [&](const auto& own) { return is_below(reverse_name(own.address), name); });
}

}  // namespace

std::optional<SpecialName> special_name(const GateRules& rules, std::string_view name) {
  if (name == gateway_name) return SpecialName{Special::gateway, gateway_name};
  if (is_within(name, "localhost")) return SpecialName{Special::loopback, "localhost (RFC 6761)"};
  if (name.ends_with(".arpa") &&
      std::any_of(rules.lan.begin(), rules.lan.end(), [&](const auto& own) { return reverse_name(own.address) == name; }))
    return SpecialName{Special::gateway_host, "the gateway's address"};
  // Designated resolvers are the way from plain DNS to an encrypted one: there are none.
  if (is_within(name, "resolver.arpa")) return SpecialName{Special::empty, "resolver.arpa (RFC 9462)"};
  if (rules.local.best(name).pattern != nullptr) return std::nullopt;
  if (const auto zone = absent_zone(name)) return SpecialName{has_own_below(rules, name) ? Special::empty : Special::absent, *zone};
  if (name.find('.') == std::string_view::npos) return SpecialName{Special::unqualified, "a single label"};
  return std::nullopt;
}

std::string reverse_name(const base::Address& address) {
  std::string name;
  const auto octets = address.bytes();
  const bool ipv4 = address.family == base::Family::ipv4;
  for (auto octet = octets.rbegin(); octet != octets.rend(); ++octet) {
    if (ipv4) name += fmt::format("{}.", *octet);
    else name += fmt::format("{:x}.{:x}.", *octet & 0x0fU, *octet >> 4U);
  }
  return name + (ipv4 ? "in-addr.arpa" : "ip6.arpa");
}

}  // namespace schultor::policy
