// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// A table of nf_tables as plain values. Nothing in here knows what the table is for.
namespace schultor::netfilter::model {

/// The types of keys and values, named as nft names them.
enum class Type : std::uint8_t { ipv4_addr, ipv6_addr, ether_addr, ifname, inet_proto, inet_service, mark, icmp_type, icmpv6_type };

struct Mark {
  std::uint32_t value = 0;
  auto operator<=>(const Mark&) const = default;
};
struct InterfaceName {
  std::string name;  ///< 1 to 15 characters (IFNAMSIZ)
  auto operator<=>(const InterfaceName&) const = default;
};
struct Protocol {
  std::uint8_t number = 0;  ///< IPPROTO_…
  auto operator<=>(const Protocol&) const = default;
};
struct Port {
  std::uint16_t number = 0;  ///< host byte order
  auto operator<=>(const Port&) const = default;
};

/// Of ICMP or ICMPv6, which number them apart.
struct IcmpType {
  std::uint8_t number = 0;
  auto operator<=>(const IcmpType&) const = default;
};

/// One field of a key.
using Atom = std::variant<Mark, base::Address, base::Mac, InterfaceName, Protocol, Port, IcmpType>;
/// As many fields as the set's declaration has types.
using Key = std::vector<Atom>;

/// What a rule or a map's element ends in.
struct Verdict {
  enum class Code : std::uint8_t { accept, drop, leave, jump, go_to };
  Code code = Code::accept;
  std::string chain{};  ///< of jump and go_to
  auto operator<=>(const Verdict&) const = default;
};

/// What a map leads to; nothing for a set.
using Value = std::variant<std::monostate, Mark, Verdict>;

struct Element {
  Key key;     ///< empty: of the element that catches all others (NFT_SET_ELEM_CATCHALL), which is only ever found
  Key last{};  ///< of a range, inclusive; empty: `key` alone
  Value value{};
  std::optional<std::chrono::milliseconds> timeout{};  ///< time left, of sets with timeouts
  auto operator<=>(const Element&) const = default;
};

/// "accept", "goto profile_school".
std::string to_string(const Verdict& verdict);
std::string to_string(const Atom& atom);
/// As nft writes it: "10.78.0.0/24 : 0x00000002", "198.51.100.10 . tcp . 443 timeout 300s".
std::string to_string(const Element& element);

}  // namespace schultor::netfilter::model
