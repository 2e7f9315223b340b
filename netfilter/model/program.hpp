// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/model/rule.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What the kernel's rule machine is given: the statements of a rule, lowered to loads, comparisons and
/// look-ups over registers. Read back from the kernel they compare equal to what was written
/// (linux/netfilter/nf_tables.h).
namespace schultor::netfilter::model {

using Bytes = std::vector<std::uint8_t>;

namespace instruction {

struct MetaLoad {
  std::uint32_t key = 0;  ///< NFT_META_…
  std::uint32_t to = 0;   ///< register, as the kernel numbers it in its answers
  bool operator==(const MetaLoad&) const = default;
};
struct MetaSet {
  std::uint32_t key = 0;
  std::uint32_t from = 0;
  bool operator==(const MetaSet&) const = default;
};
struct CtLoad {
  std::uint32_t key = 0;                    ///< NFT_CT_…
  std::optional<std::uint8_t> direction{};  ///< IP_CT_DIR_…
  std::uint32_t to = 0;
  bool operator==(const CtLoad&) const = default;
};
struct CtSet {
  std::uint32_t key = 0;
  std::uint32_t from = 0;
  bool operator==(const CtSet&) const = default;
};
struct PayloadLoad {
  std::uint32_t base = 0;  ///< NFT_PAYLOAD_…_HEADER
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  std::uint32_t to = 0;
  bool operator==(const PayloadLoad&) const = default;
};
struct RouteLookup {
  std::uint32_t flags = 0;   ///< NFTA_FIB_F_…
  std::uint32_t result = 0;  ///< NFT_FIB_RESULT_…
  std::uint32_t to = 0;
  bool operator==(const RouteLookup&) const = default;
};
struct Compare {
  bool negated = false;
  std::uint32_t from = 0;
  Bytes with{};
  bool operator==(const Compare&) const = default;
};
struct Masked {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  Bytes mask{};
  bool operator==(const Masked&) const = default;
};
struct ShiftRight {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::uint32_t by = 0;
  bool operator==(const ShiftRight&) const = default;
};
struct Immediate {
  std::uint32_t to = 0;
  Bytes value{};
  bool operator==(const Immediate&) const = default;
};
struct Lookup {
  std::string set;
  std::uint32_t from = 0;
  std::optional<std::uint32_t> to{};  ///< of maps; 0 is the verdict register
  bool negated = false;
  bool operator==(const Lookup&) const = default;
};
/// Of a set that fills itself: how many connections an element has.
struct ConnectionCount {
  std::uint32_t most = 0;
  bool operator==(const ConnectionCount&) const = default;
};
/// Likewise: how many packets it sends.
struct PacketRate {
  std::uint64_t per_second = 0;
  std::uint32_t burst = 0;
  bool operator==(const PacketRate&) const = default;
};
/// Puts a key into a set that fills itself, and goes on where it has more than the count or rate, if there is one.
struct Insert {
  std::string set;
  std::uint32_t operation = 0;  ///< NFT_DYNSET_OP_…
  std::uint32_t from = 0;
  std::variant<std::monostate, ConnectionCount, PacketRate> over{};
  bool operator==(const Insert&) const = default;
};
struct RouteLoad {
  std::uint32_t key = 0;  ///< NFT_RT_…
  std::uint32_t to = 0;
  bool operator==(const RouteLoad&) const = default;
};
/// Of a number of two octets, from the machine's order to the network's.
struct ToNetworkOrder {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  bool operator==(const ToNetworkOrder&) const = default;
};
struct TcpOptionSet {
  std::uint32_t kind = 0;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  std::uint32_t from = 0;
  bool operator==(const TcpOptionSet&) const = default;
};
struct Masquerade {
  bool operator==(const Masquerade&) const = default;
};
/// Ends the rule where the connection cannot be put there.
struct FlowOffload {
  std::string flowtable;
  bool operator==(const FlowOffload&) const = default;
};
struct CountRef {
  std::string counter;
  bool operator==(const CountRef&) const = default;
};
struct RedirectTo {
  std::uint32_t port_from = 0;
  bool operator==(const RedirectTo&) const = default;
};
struct RejectWith {
  std::uint32_t type = 0;  ///< NFT_REJECT_…
  std::uint8_t code = 0;
  bool operator==(const RejectWith&) const = default;
};
/// Something that this library never writes; equal to nothing that it writes.
struct Foreign {
  std::string text;
  bool operator==(const Foreign&) const = default;
};

}  // namespace instruction

using Instruction =
    std::variant<instruction::MetaLoad, instruction::MetaSet, instruction::CtLoad, instruction::CtSet, instruction::PayloadLoad,
                 instruction::RouteLookup, instruction::Compare, instruction::Masked, instruction::ShiftRight,
                 instruction::Immediate, instruction::Lookup, instruction::Insert, instruction::RouteLoad,
                 instruction::ToNetworkOrder, instruction::TcpOptionSet, instruction::Masquerade, instruction::FlowOffload,
                 instruction::CountRef, instruction::RedirectTo, instruction::RejectWith, Verdict, instruction::Foreign>;
using Program = std::vector<Instruction>;

/// What the kernel is given for `rule`; the same that nft gives it.
Program lower(const Rule& rule);

}  // namespace schultor::netfilter::model
