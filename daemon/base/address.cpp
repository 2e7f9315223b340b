// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cassert>
#include <charconv>

namespace schultor::base {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<unsigned> parse_number(std::string_view text, unsigned highest, std::string_view what) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || number > highest)
    return fail("“{}” is no {}: expected a number from 0 to {}", text, what, highest);
  return number;
}

unsigned bits_of(Family family) { return family == Family::ipv4 ? 32 : 128; }

/// The octet's mask of those bits that belong to a network of `length` bits.
std::uint8_t network_mask(unsigned octet, unsigned length) {
  const unsigned bits = std::clamp(static_cast<int>(length) - static_cast<int>(octet * 8), 0, 8);
  return static_cast<std::uint8_t>(0xff00U >> bits);
}

/// Splits "ADDRESS/LENGTH"; without a length, `all` bits of the family are meant.
Result<InterfaceAddress> parse_with_length(std::string_view text) {
  const auto slash = text.find('/');
  auto address = parse_address(text.substr(0, slash));
  if (!address) return pass(std::move(address));
  const unsigned bits = bits_of(address->family);
  if (slash == std::string_view::npos) return InterfaceAddress{*address, static_cast<std::uint8_t>(bits)};
  auto length = parse_number(text.substr(slash + 1), bits, "prefix length");
  if (!length) return pass(std::move(length), text);
  return InterfaceAddress{*address, static_cast<std::uint8_t>(*length)};
}

}  // namespace

Result<Mac> parse_mac(std::string_view text) {
  Mac mac;
  std::size_t digits = 0;
  const char separator = text.size() == 17 ? text[2] : text.size() == 14 ? '.' : '\0';
  const std::size_t every = text.size() == 14 ? 4 : 2;
  bool valid = text.size() == 12 || text.size() == 14 || (text.size() == 17 && (separator == ':' || separator == '-'));
  for (std::size_t i = 0; valid && i < text.size(); ++i) {
    if (separator != '\0' && i % (every + 1) == every) {
      valid = text[i] == separator;
      continue;
    }
    const int digit = hex_digit(text[i]);
    valid = digit >= 0;
    if (!valid) break;
    auto& octet = mac.octets[digits / 2];
    octet = static_cast<std::uint8_t>(octet << 4 | digit);
    ++digits;
  }
  if (!valid || digits != 12) return fail("“{}” is no MAC address: expected six octets such as 02:77:00:00:00:01", text);
  return mac;
}

std::string to_string(const Mac& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac.octets[0], mac.octets[1], mac.octets[2], mac.octets[3],
                     mac.octets[4], mac.octets[5]);
}

Result<Address> parse_address(std::string_view text) {
  const std::string terminated(text);
  const bool is_c_string = text.find('\0') == std::string_view::npos;
  Address address;
  if (is_c_string && inet_pton(AF_INET, terminated.c_str(), address.octets.data()) == 1) return address;
  address.octets.fill(0);
  address.family = Family::ipv6;
  if (is_c_string && inet_pton(AF_INET6, terminated.c_str(), address.octets.data()) == 1) return address;
  return fail("“{}” is no IP address: expected one such as 10.77.0.1 or fd77::1", text);
}

std::string to_string(const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(address.family == Family::ipv4 ? AF_INET : AF_INET6, address.octets.data(), text.data(), text.size());
  return text.data();
}

Address address_from_bytes(std::span<const std::uint8_t> bytes) {
  assert(bytes.size() == 4 || bytes.size() == 16);
  Address address;
  address.family = bytes.size() == 4 ? Family::ipv4 : Family::ipv6;
  std::copy_n(bytes.begin(), std::min<std::size_t>(bytes.size(), 16), address.octets.begin());
  return address;
}

Result<Prefix> parse_prefix(std::string_view text) {
  auto parsed = parse_with_length(text);
  if (!parsed) return pass(std::move(parsed));
  const auto prefix = network_of(parsed->address, parsed->length);
  if (prefix.address != parsed->address)
    return fail("“{}” has host bits set: write {} for the network, or leave the length out for the host", text, to_string(prefix));
  return prefix;
}

std::string to_string(const Prefix& prefix) { return fmt::format("{}/{}", to_string(prefix.address), prefix.length); }

bool contains(const Prefix& prefix, const Address& address) {
  if (prefix.address.family != address.family) return false;
  for (unsigned i = 0; i < address.bytes().size(); ++i)
    if ((address.octets[i] & network_mask(i, prefix.length)) != prefix.address.octets[i]) return false;
  return true;
}

Prefix network_of(const Address& address, std::uint8_t length) {
  Prefix network{address, length};
  for (unsigned i = 0; i < address.bytes().size(); ++i)
    network.address.octets[i] = static_cast<std::uint8_t>(address.octets[i] & network_mask(i, length));
  return network;
}

Address last_address(const Prefix& prefix) {
  Address last = prefix.address;
  for (unsigned i = 0; i < last.bytes().size(); ++i)
    last.octets[i] = static_cast<std::uint8_t>(last.octets[i] | static_cast<std::uint8_t>(~network_mask(i, prefix.length)));
  return last;
}

Result<InterfaceAddress> parse_interface_address(std::string_view text) {
  if (text.find('/') == std::string_view::npos)
    return fail("“{}” lacks the length of its network: expected one such as 10.77.0.1/16 or fd77::1/64", text);
  return parse_with_length(text);
}

std::string to_string(const InterfaceAddress& address) { return fmt::format("{}/{}", to_string(address.address), address.length); }

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail("“{}” lacks a port: expected one such as 127.0.0.1:5335 or [::1]:5335", text);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  auto address = parse_address(host);
  if (!address) return pass(std::move(address), text);
  if (bracketed != (address->family == Family::ipv6))
    return fail("“{}”: an IPv6 address with a port stands in brackets, as in [::1]:5335", text);
  auto port = parse_number(text.substr(colon + 1), 65535, "port");
  if (!port) return pass(std::move(port), text);
  return Endpoint{*address, static_cast<std::uint16_t>(*port)};
}

std::string to_string(const Endpoint& endpoint) {
  if (endpoint.address.family == Family::ipv6) return fmt::format("[{}]:{}", to_string(endpoint.address), endpoint.port);
  return fmt::format("{}:{}", to_string(endpoint.address), endpoint.port);
}

}  // namespace schultor::base
