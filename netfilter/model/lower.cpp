// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/model/program.hpp"

// The C library's names of protocols come before the kernel's, which then stand back.
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <linux/if_arp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace schultor::netfilter::model {
namespace {

using namespace instruction;

// RFC 9293: where the flags stand in TCP's header, and the number in the option for the largest segment.
constexpr std::uint32_t tcp_flags_at = 13;
constexpr std::uint8_t tcp_flag_syn = 0x02;
constexpr std::uint32_t segment_size_at = 2;

/// Registers hold four octets; the kernel names each fourth one by its number among the wide ones.
std::uint32_t register_at(std::uint32_t slot) {
  return slot % 4 == 0 ? NFT_REG_1 + slot / 4 : static_cast<std::uint32_t>(NFT_REG32_00) + slot;
}

template <typename T>
Bytes host_bytes(T value) {
  Bytes bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

Bytes big_endian(std::uint16_t value) { return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value & 0xff)}; }

std::uint32_t slots_of(Field field) {
  switch (field) {
    case Field::iifname:
    case Field::oifname:
    case Field::ip6_saddr:
    case Field::ip6_daddr:
    case Field::ct_original_ip6_daddr:
      return 4;
    case Field::ether_saddr:
      return 2;
    default:
      return 1;
  }
}

/// What must be known of a packet before the field means anything. Once in a rule is enough.
void require(Field field, Program& program) {
  const auto demand = [&](std::uint32_t key, Bytes value) {
    const std::array<Instruction, 2> asked{MetaLoad{key, register_at(0)}, Compare{false, register_at(0), std::move(value)}};
    if (std::search(program.begin(), program.end(), asked.begin(), asked.end()) == program.end())
      program.insert(program.end(), asked.begin(), asked.end());
  };
  const auto family = [&](std::uint8_t number) { demand(NFT_META_NFPROTO, {number}); };
  const auto protocol = [&](std::uint8_t number) { demand(NFT_META_L4PROTO, {number}); };
  switch (field) {
    case Field::ip_saddr:
    case Field::ip_daddr:
    case Field::ip_ttl:
      return family(NFPROTO_IPV4);
    case Field::ip6_saddr:
    case Field::ip6_daddr:
    case Field::ip6_hoplimit:
      return family(NFPROTO_IPV6);
    case Field::tcp_dport:
      return protocol(IPPROTO_TCP);
    case Field::udp_dport:
      return protocol(IPPROTO_UDP);
    case Field::icmp_type:
      family(NFPROTO_IPV4);
      return protocol(IPPROTO_ICMP);
    case Field::icmpv6_type:
      family(NFPROTO_IPV6);
      return protocol(IPPROTO_ICMPV6);
    case Field::ether_saddr:
      return demand(NFT_META_IIFTYPE, host_bytes(std::uint16_t{ARPHRD_ETHER}));
    default:
      return;
  }
}

Instruction load(Field field, std::uint32_t to) {
  constexpr std::uint8_t original = IP_CT_DIR_ORIGINAL;
  switch (field) {
    case Field::iifname:
      return MetaLoad{NFT_META_IIFNAME, to};
    case Field::oifname:
      return MetaLoad{NFT_META_OIFNAME, to};
    case Field::nfproto:
      return MetaLoad{NFT_META_NFPROTO, to};
    case Field::mark:
      return MetaLoad{NFT_META_MARK, to};
    case Field::l4proto:
      return MetaLoad{NFT_META_L4PROTO, to};
    case Field::ip_saddr:
      return PayloadLoad{NFT_PAYLOAD_NETWORK_HEADER, 12, 4, to};
    case Field::ip_daddr:
      return PayloadLoad{NFT_PAYLOAD_NETWORK_HEADER, 16, 4, to};
    case Field::ip6_saddr:
      return PayloadLoad{NFT_PAYLOAD_NETWORK_HEADER, 8, 16, to};
    case Field::ip6_daddr:
      return PayloadLoad{NFT_PAYLOAD_NETWORK_HEADER, 24, 16, to};
    case Field::ip_ttl:
      return PayloadLoad{NFT_PAYLOAD_NETWORK_HEADER, 8, 1, to};
    case Field::ip6_hoplimit:
      return PayloadLoad{NFT_PAYLOAD_NETWORK_HEADER, 7, 1, to};
    case Field::icmp_type:
    case Field::icmpv6_type:
      return PayloadLoad{NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, to};
    case Field::ether_saddr:
      return PayloadLoad{NFT_PAYLOAD_LL_HEADER, 6, 6, to};
    case Field::th_sport:
      return PayloadLoad{NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2, to};
    case Field::th_dport:
    case Field::tcp_dport:
    case Field::udp_dport:
      return PayloadLoad{NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, to};
    case Field::ct_mark:
      return CtLoad{NFT_CT_MARK, {}, to};
    case Field::ct_direction:
      return CtLoad{NFT_CT_DIRECTION, {}, to};
    case Field::ct_original_ip_daddr:
      return CtLoad{NFT_CT_DST_IP, original, to};
    case Field::ct_original_ip6_daddr:
      return CtLoad{NFT_CT_DST_IP6, original, to};
    case Field::ct_original_proto_dst:
      return CtLoad{NFT_CT_PROTO_DST, original, to};
  }
  return Foreign{};
}

Bytes value_bytes(Field field, std::uint32_t value) {
  switch (field) {
    case Field::nfproto:
    case Field::l4proto:
    case Field::ip_ttl:
    case Field::ip6_hoplimit:
    case Field::icmp_type:
    case Field::icmpv6_type:
    case Field::ct_direction:
      return {static_cast<std::uint8_t>(value)};
    case Field::mark:
    case Field::ct_mark:
      return host_bytes(value);
    default:
      return big_endian(static_cast<std::uint16_t>(value));
  }
}

/// Labels are a bitmap of the machine's words; on little-endian machines bit n stands in octet n / 8.
Bytes label_bytes(std::uint8_t bit) {
  Bytes bytes(16);
  bytes.at(bit / 8U) = static_cast<std::uint8_t>(1U << bit % 8);
  return bytes;
}

Instruction store(Target target) {
  if (target == Target::mark) return MetaSet{NFT_META_MARK, register_at(0)};
  return CtSet{NFT_CT_MARK, register_at(0)};
}

struct Lowering {
  Program& program;

  void load_all(const std::vector<Field>& fields) const {
    for (const Field field : fields) require(field, program);
    std::uint32_t slot = 0;
    for (const Field field : fields) {
      program.push_back(load(field, register_at(slot)));
      slot += slots_of(field);
    }
  }
  void operator()(const InSet& in) const {
    load_all(in.fields);
    program.push_back(Lookup{in.set, register_at(0), {}, in.negated});
  }
  void operator()(const Is& is) const {
    require(is.field, program);
    program.push_back(load(is.field, register_at(0)));
    program.push_back(Compare{is.negated, register_at(0), value_bytes(is.field, is.value)});
  }
  void any_bit(Instruction loaded, Bytes mask) const {
    const Bytes none(mask.size());
    program.push_back(std::move(loaded));
    program.push_back(Masked{register_at(0), register_at(0), std::move(mask)});
    program.push_back(Compare{true, register_at(0), none});
  }
  void operator()(const InState& state) const { any_bit(CtLoad{NFT_CT_STATE, {}, register_at(0)}, host_bytes(state.bits)); }
  void operator()(const FromElsewhere&) const {
    program.push_back(RouteLookup{NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF | NFTA_FIB_F_PRESENT, NFT_FIB_RESULT_OIF, register_at(0)});
    program.push_back(Compare{false, register_at(0), Bytes(4)});
  }
  void operator()(const IsSyn&) const {
    require(Field::tcp_dport, program);
    any_bit(PayloadLoad{NFT_PAYLOAD_TRANSPORT_HEADER, tcp_flags_at, 1, register_at(0)}, {tcp_flag_syn});
  }
  void insert(const std::vector<Field>& key, const std::string& set, std::uint32_t operation, decltype(Insert::over) over) const {
    load_all(key);
    program.push_back(Insert{set, operation, register_at(0), over});
  }
  void operator()(const CountConnections& count) const {
    insert({count.key}, count.set, NFT_DYNSET_OP_ADD, ConnectionCount{count.most});
  }
  void operator()(const LimitRate& limit) const {
    insert({limit.key}, limit.set, NFT_DYNSET_OP_UPDATE, PacketRate{limit.per_second, limit.burst});
  }
  void operator()(const Remember& remember) const { insert(remember.fields, remember.set, NFT_DYNSET_OP_ADD, {}); }
  void operator()(const HasLabel& label) const { any_bit(CtLoad{NFT_CT_LABELS, {}, register_at(0)}, label_bytes(label.bit)); }
  void operator()(const SetByMap& set) const {
    require(set.key, program);
    program.push_back(load(set.key, register_at(0)));
    program.push_back(Lookup{set.map, register_at(0), register_at(0), false});
    program.push_back(store(set.target));
  }
  void operator()(const SetTo& set) const {
    program.push_back(Immediate{register_at(0), host_bytes(set.value)});
    program.push_back(store(set.target));
  }
  void operator()(const SetByShift& set) const {
    program.push_back(load(set.source, register_at(0)));
    program.push_back(ShiftRight{register_at(0), register_at(0), set.shift});
    program.push_back(store(set.target));
  }
  void operator()(const SetLabel& label) const {
    program.push_back(Immediate{register_at(0), label_bytes(label.bit)});
    program.push_back(CtSet{NFT_CT_LABELS, register_at(0)});
  }
  void operator()(const Count& count) const { program.push_back(CountRef{count.counter}); }
  void operator()(const Redirect& redirect) const {
    program.push_back(Immediate{register_at(0), big_endian(redirect.port)});
    program.push_back(RedirectTo{register_at(0)});
  }
  void operator()(const model::Masquerade&) const { program.push_back(instruction::Masquerade{}); }
  void operator()(const ClampSegments&) const {
    program.push_back(RouteLoad{NFT_RT_TCPMSS, register_at(0)});
    program.push_back(ToNetworkOrder{register_at(0), register_at(0)});
    program.push_back(TcpOptionSet{TCPOPT_MAXSEG, segment_size_at, 2, register_at(0)});
  }
  void operator()(const AddFlow& add) const { program.push_back(FlowOffload{add.flowtable}); }
  void operator()(const Reject& reject) const {
    if (reject == Reject::tcp_reset) program.push_back(RejectWith{NFT_REJECT_TCP_RST, 0});
    else program.push_back(RejectWith{NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED});
  }
  void operator()(const ByVerdictMap& by) const {
    require(by.key, program);
    program.push_back(load(by.key, register_at(0)));
    program.push_back(Lookup{by.map, register_at(0), NFT_REG_VERDICT, false});
  }
  void operator()(const Verdict& verdict) const { program.push_back(verdict); }
};

}  // namespace

Program lower(const Rule& rule) {
  Program program;
  for (const Statement& statement : rule) std::visit(Lowering{program}, statement);
  return program;
}

}  // namespace schultor::netfilter::model
