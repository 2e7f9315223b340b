// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/kernel/expression.hpp"

#include <netinet/in.h>

#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>

namespace schultor::netfilter::kernel {
namespace {

using namespace model;
using namespace model::instruction;

constexpr std::uint64_t a_second = 1;  // of NFTNL_EXPR_LIMIT_UNIT
constexpr std::uint32_t octets_of_a_short = 2;

Handle<nftnl_expr> make(const char* name) { return Handle<nftnl_expr>(nftnl_expr_alloc(name)); }

void set(const Handle<nftnl_expr>& expression, std::uint16_t attribute, std::uint32_t value) {
  nftnl_expr_set_u32(expression.get(), attribute, value);
}
void set(const Handle<nftnl_expr>& expression, std::uint16_t attribute, const Bytes& value) {
  nftnl_expr_set(expression.get(), attribute, value.data(), static_cast<std::uint32_t>(value.size()));
}
void set(const Handle<nftnl_expr>& expression, std::uint16_t attribute, const std::string& value) {
  nftnl_expr_set_str(expression.get(), attribute, value.c_str());
}

int verdict_code(Verdict::Code code) {
  switch (code) {
    case Verdict::Code::accept:
      return 1;  // NF_ACCEPT
    case Verdict::Code::drop:
      return 0;  // NF_DROP
    case Verdict::Code::leave:
      return NFT_RETURN;
    case Verdict::Code::jump:
      return NFT_JUMP;
    case Verdict::Code::go_to:
      return NFT_GOTO;
  }
  return 0;
}

struct Encoder {
  Handle<nftnl_expr> operator()(const MetaLoad& load) const {
    auto expression = make("meta");
    set(expression, NFTNL_EXPR_META_KEY, load.key);
    set(expression, NFTNL_EXPR_META_DREG, load.to);
    return expression;
  }
  Handle<nftnl_expr> operator()(const MetaSet& store) const {
    auto expression = make("meta");
    set(expression, NFTNL_EXPR_META_KEY, store.key);
    set(expression, NFTNL_EXPR_META_SREG, store.from);
    return expression;
  }
  Handle<nftnl_expr> operator()(const CtLoad& load) const {
    auto expression = make("ct");
    set(expression, NFTNL_EXPR_CT_KEY, load.key);
    set(expression, NFTNL_EXPR_CT_DREG, load.to);
    if (load.direction) nftnl_expr_set_u8(expression.get(), NFTNL_EXPR_CT_DIR, *load.direction);
    return expression;
  }
  Handle<nftnl_expr> operator()(const CtSet& store) const {
    auto expression = make("ct");
    set(expression, NFTNL_EXPR_CT_KEY, store.key);
    set(expression, NFTNL_EXPR_CT_SREG, store.from);
    return expression;
  }
  Handle<nftnl_expr> operator()(const PayloadLoad& load) const {
    auto expression = make("payload");
    set(expression, NFTNL_EXPR_PAYLOAD_DREG, load.to);
    set(expression, NFTNL_EXPR_PAYLOAD_BASE, load.base);
    set(expression, NFTNL_EXPR_PAYLOAD_OFFSET, load.offset);
    set(expression, NFTNL_EXPR_PAYLOAD_LEN, load.length);
    return expression;
  }
  Handle<nftnl_expr> operator()(const RouteLookup& lookup) const {
    auto expression = make("fib");
    set(expression, NFTNL_EXPR_FIB_FLAGS, lookup.flags);
    set(expression, NFTNL_EXPR_FIB_RESULT, lookup.result);
    set(expression, NFTNL_EXPR_FIB_DREG, lookup.to);
    return expression;
  }
  Handle<nftnl_expr> operator()(const Compare& compare) const {
    auto expression = make("cmp");
    set(expression, NFTNL_EXPR_CMP_SREG, compare.from);
    set(expression, NFTNL_EXPR_CMP_OP, static_cast<std::uint32_t>(compare.negated ? NFT_CMP_NEQ : NFT_CMP_EQ));
    set(expression, NFTNL_EXPR_CMP_DATA, compare.with);
    return expression;
  }
  Handle<nftnl_expr> operator()(const Masked& masked) const {
    auto expression = make("bitwise");
    set(expression, NFTNL_EXPR_BITWISE_SREG, masked.from);
    set(expression, NFTNL_EXPR_BITWISE_DREG, masked.to);
    set(expression, NFTNL_EXPR_BITWISE_OP, static_cast<std::uint32_t>(NFT_BITWISE_BOOL));
    set(expression, NFTNL_EXPR_BITWISE_LEN, static_cast<std::uint32_t>(masked.mask.size()));
    set(expression, NFTNL_EXPR_BITWISE_MASK, masked.mask);
    set(expression, NFTNL_EXPR_BITWISE_XOR, Bytes(masked.mask.size()));
    return expression;
  }
  Handle<nftnl_expr> operator()(const ShiftRight& shift) const {
    auto expression = make("bitwise");
    set(expression, NFTNL_EXPR_BITWISE_SREG, shift.from);
    set(expression, NFTNL_EXPR_BITWISE_DREG, shift.to);
    set(expression, NFTNL_EXPR_BITWISE_OP, static_cast<std::uint32_t>(NFT_BITWISE_RSHIFT));
    set(expression, NFTNL_EXPR_BITWISE_LEN, static_cast<std::uint32_t>(sizeof shift.by));
    nftnl_expr_set(expression.get(), NFTNL_EXPR_BITWISE_DATA, &shift.by, sizeof shift.by);
    return expression;
  }
  Handle<nftnl_expr> operator()(const Immediate& immediate) const {
    auto expression = make("immediate");
    set(expression, NFTNL_EXPR_IMM_DREG, immediate.to);
    set(expression, NFTNL_EXPR_IMM_DATA, immediate.value);
    return expression;
  }
  Handle<nftnl_expr> operator()(const Lookup& lookup) const {
    auto expression = make("lookup");
    set(expression, NFTNL_EXPR_LOOKUP_SREG, lookup.from);
    if (lookup.to) set(expression, NFTNL_EXPR_LOOKUP_DREG, *lookup.to);
    set(expression, NFTNL_EXPR_LOOKUP_SET, lookup.set);
    if (lookup.negated) set(expression, NFTNL_EXPR_LOOKUP_FLAGS, static_cast<std::uint32_t>(NFT_LOOKUP_F_INV));
    return expression;
  }
  Handle<nftnl_expr> operator()(const std::monostate&) const { return nullptr; }
  Handle<nftnl_expr> operator()(const ConnectionCount& count) const {
    auto expression = make("connlimit");
    set(expression, NFTNL_EXPR_CONNLIMIT_COUNT, count.most);
    set(expression, NFTNL_EXPR_CONNLIMIT_FLAGS, static_cast<std::uint32_t>(NFT_LIMIT_F_INV));
    return expression;
  }
  Handle<nftnl_expr> operator()(const PacketRate& rate) const {
    auto expression = make("limit");
    nftnl_expr_set_u64(expression.get(), NFTNL_EXPR_LIMIT_RATE, rate.per_second);
    nftnl_expr_set_u64(expression.get(), NFTNL_EXPR_LIMIT_UNIT, a_second);
    set(expression, NFTNL_EXPR_LIMIT_BURST, rate.burst);
    set(expression, NFTNL_EXPR_LIMIT_TYPE, static_cast<std::uint32_t>(NFT_LIMIT_PKTS));
    set(expression, NFTNL_EXPR_LIMIT_FLAGS, static_cast<std::uint32_t>(NFT_LIMIT_F_INV));
    return expression;
  }
  Handle<nftnl_expr> operator()(const Insert& insert) const {
    auto expression = make("dynset");
    set(expression, NFTNL_EXPR_DYNSET_SET_NAME, insert.set);
    set(expression, NFTNL_EXPR_DYNSET_OP, insert.operation);
    set(expression, NFTNL_EXPR_DYNSET_SREG_KEY, insert.from);
    // Belongs to the other from here on.
    if (auto over = std::visit(*this, insert.over)) nftnl_expr_set(expression.get(), NFTNL_EXPR_DYNSET_EXPR, over.release(), 0);
    return expression;
  }
  Handle<nftnl_expr> operator()(const RouteLoad& load) const {
    auto expression = make("rt");
    set(expression, NFTNL_EXPR_RT_KEY, load.key);
    set(expression, NFTNL_EXPR_RT_DREG, load.to);
    return expression;
  }
  Handle<nftnl_expr> operator()(const ToNetworkOrder& order) const {
    auto expression = make("byteorder");
    set(expression, NFTNL_EXPR_BYTEORDER_SREG, order.from);
    set(expression, NFTNL_EXPR_BYTEORDER_DREG, order.to);
    set(expression, NFTNL_EXPR_BYTEORDER_OP, static_cast<std::uint32_t>(NFT_BYTEORDER_HTON));
    set(expression, NFTNL_EXPR_BYTEORDER_LEN, octets_of_a_short);
    set(expression, NFTNL_EXPR_BYTEORDER_SIZE, octets_of_a_short);
    return expression;
  }
  Handle<nftnl_expr> operator()(const TcpOptionSet& option) const {
    auto expression = make("exthdr");
    nftnl_expr_set_u8(expression.get(), NFTNL_EXPR_EXTHDR_TYPE, static_cast<std::uint8_t>(option.kind));
    set(expression, NFTNL_EXPR_EXTHDR_OP, static_cast<std::uint32_t>(NFT_EXTHDR_OP_TCPOPT));
    set(expression, NFTNL_EXPR_EXTHDR_OFFSET, option.offset);
    set(expression, NFTNL_EXPR_EXTHDR_LEN, option.length);
    set(expression, NFTNL_EXPR_EXTHDR_SREG, option.from);
    return expression;
  }
  Handle<nftnl_expr> operator()(const instruction::Masquerade&) const { return make("masq"); }
  Handle<nftnl_expr> operator()(const FlowOffload& offload) const {
    auto expression = make("flow_offload");
    set(expression, NFTNL_EXPR_FLOW_TABLE_NAME, offload.flowtable);
    return expression;
  }
  Handle<nftnl_expr> operator()(const CountRef& count) const {
    auto expression = make("objref");
    set(expression, NFTNL_EXPR_OBJREF_IMM_TYPE, static_cast<std::uint32_t>(NFT_OBJECT_COUNTER));
    set(expression, NFTNL_EXPR_OBJREF_IMM_NAME, count.counter);
    return expression;
  }
  Handle<nftnl_expr> operator()(const RedirectTo& redirect) const {
    auto expression = make("redir");
    set(expression, NFTNL_EXPR_REDIR_REG_PROTO_MIN, redirect.port_from);
    set(expression, NFTNL_EXPR_REDIR_FLAGS, static_cast<std::uint32_t>(NF_NAT_RANGE_PROTO_SPECIFIED));
    return expression;
  }
  Handle<nftnl_expr> operator()(const RejectWith& reject) const {
    auto expression = make("reject");
    set(expression, NFTNL_EXPR_REJECT_TYPE, reject.type);
    nftnl_expr_set_u8(expression.get(), NFTNL_EXPR_REJECT_CODE, reject.code);
    return expression;
  }
  Handle<nftnl_expr> operator()(const Verdict& verdict) const {
    auto expression = make("immediate");
    set(expression, NFTNL_EXPR_IMM_DREG, static_cast<std::uint32_t>(NFT_REG_VERDICT));
    set(expression, NFTNL_EXPR_IMM_VERDICT, static_cast<std::uint32_t>(verdict_code(verdict.code)));
    if (!verdict.chain.empty()) set(expression, NFTNL_EXPR_IMM_CHAIN, verdict.chain);
    return expression;
  }
  Handle<nftnl_expr> operator()(const Foreign&) const { return nullptr; }
};

/// Reads the attributes of one expression.
struct Reader {
  const nftnl_expr& expression;

  bool has(std::uint16_t attribute) const { return nftnl_expr_is_set(&expression, attribute); }
  std::uint32_t number(std::uint16_t attribute) const { return has(attribute) ? nftnl_expr_get_u32(&expression, attribute) : 0; }
  std::uint8_t octet(std::uint16_t attribute) const {
    return has(attribute) ? nftnl_expr_get_u8(&expression, attribute) : std::uint8_t{0};
  }
  std::string text(std::uint16_t attribute) const {
    const char* value = has(attribute) ? nftnl_expr_get_str(&expression, attribute) : nullptr;
    return value ? value : "";
  }
  Bytes bytes(std::uint16_t attribute) const {
    std::uint32_t length = 0;
    const auto* data = has(attribute) ? static_cast<const std::uint8_t*>(nftnl_expr_get(&expression, attribute, &length)) : nullptr;
    return data ? Bytes(data, data + length) : Bytes{};
  }
  Foreign foreign() const {
    std::array<char, 512> text{};
    nftnl_expr_snprintf(text.data(), text.size(), &expression, NFTNL_OUTPUT_DEFAULT, 0);
    return {std::string(nftnl_expr_get_str(&expression, NFTNL_EXPR_NAME)) + " " + text.data()};
  }
};

Instruction decode_immediate(const Reader& reader) {
  if (reader.number(NFTNL_EXPR_IMM_DREG) != NFT_REG_VERDICT)
    return Immediate{reader.number(NFTNL_EXPR_IMM_DREG), reader.bytes(NFTNL_EXPR_IMM_DATA)};
  for (const auto code :
       {Verdict::Code::accept, Verdict::Code::drop, Verdict::Code::leave, Verdict::Code::jump, Verdict::Code::go_to})
    if (static_cast<std::uint32_t>(verdict_code(code)) == reader.number(NFTNL_EXPR_IMM_VERDICT))
      return Verdict{code, reader.text(NFTNL_EXPR_IMM_CHAIN)};
  return reader.foreign();
}

Instruction decode_bitwise(const Reader& reader) {
  const std::uint32_t from = reader.number(NFTNL_EXPR_BITWISE_SREG);
  const std::uint32_t to = reader.number(NFTNL_EXPR_BITWISE_DREG);
  const std::uint32_t operation = reader.number(NFTNL_EXPR_BITWISE_OP);
  if (operation == NFT_BITWISE_BOOL) {
    const Bytes flipped = reader.bytes(NFTNL_EXPR_BITWISE_XOR);
    if (std::any_of(flipped.begin(), flipped.end(), [](std::uint8_t octet) { return octet != 0; })) return reader.foreign();
    return Masked{from, to, reader.bytes(NFTNL_EXPR_BITWISE_MASK)};
  }
  if (operation == NFT_BITWISE_RSHIFT && reader.number(NFTNL_EXPR_BITWISE_LEN) == 4)
    return ShiftRight{from, to, reader.number(NFTNL_EXPR_BITWISE_DATA)};
  return reader.foreign();
}

Instruction decode_ct(const Reader& reader) {
  const std::uint32_t key = reader.number(NFTNL_EXPR_CT_KEY);
  const bool directed = reader.has(NFTNL_EXPR_CT_DIR);
  if (!reader.has(NFTNL_EXPR_CT_SREG)) {
    CtLoad load{key, {}, reader.number(NFTNL_EXPR_CT_DREG)};
    if (directed) load.direction = reader.octet(NFTNL_EXPR_CT_DIR);
    return load;
  }
  if (directed) return reader.foreign();
  return CtSet{key, reader.number(NFTNL_EXPR_CT_SREG)};
}

Instruction decode_lookup(const Reader& reader) {
  const std::uint32_t flags = reader.number(NFTNL_EXPR_LOOKUP_FLAGS);
  if ((flags & ~static_cast<std::uint32_t>(NFT_LOOKUP_F_INV)) != 0) return reader.foreign();
  Lookup lookup{reader.text(NFTNL_EXPR_LOOKUP_SET), reader.number(NFTNL_EXPR_LOOKUP_SREG), {}, flags != 0};
  if (reader.has(NFTNL_EXPR_LOOKUP_DREG)) lookup.to = reader.number(NFTNL_EXPR_LOOKUP_DREG);
  return lookup;
}

Instruction decode_compare(const Reader& reader) {
  const std::uint32_t operation = reader.number(NFTNL_EXPR_CMP_OP);
  if (operation != NFT_CMP_EQ && operation != NFT_CMP_NEQ) return reader.foreign();
  return Compare{operation == NFT_CMP_NEQ, reader.number(NFTNL_EXPR_CMP_SREG), reader.bytes(NFTNL_EXPR_CMP_DATA)};
}

/// Of an Insert: what is counted or limited; nothing where this library never writes such a thing.
std::optional<decltype(Insert::over)> decode_over(const nftnl_expr& expression) {
  const Reader reader{expression};
  const std::string_view name = nftnl_expr_get_str(&expression, NFTNL_EXPR_NAME);
  if (name == "connlimit" && reader.number(NFTNL_EXPR_CONNLIMIT_FLAGS) == NFT_LIMIT_F_INV)
    return ConnectionCount{reader.number(NFTNL_EXPR_CONNLIMIT_COUNT)};
  if (name == "limit" && reader.number(NFTNL_EXPR_LIMIT_FLAGS) == NFT_LIMIT_F_INV &&
      reader.number(NFTNL_EXPR_LIMIT_TYPE) == NFT_LIMIT_PKTS && nftnl_expr_get_u64(&expression, NFTNL_EXPR_LIMIT_UNIT) == a_second)
    return PacketRate{nftnl_expr_get_u64(&expression, NFTNL_EXPR_LIMIT_RATE), reader.number(NFTNL_EXPR_LIMIT_BURST)};
  return std::nullopt;
}

Instruction decode_insert(const nftnl_expr& expression) {
  const Reader reader{expression};
  std::vector<nftnl_expr*> inner;
  const auto collect = [](nftnl_expr* one, void* data) {
    static_cast<std::vector<nftnl_expr*>*>(data)->push_back(one);
    return 0;
  };
  nftnl_expr_expr_foreach(&expression, collect, &inner);
  std::optional<decltype(Insert::over)> over;
  if (inner.empty()) over.emplace();
  if (inner.size() == 1) over = decode_over(*inner.front());
  const bool has_timeout = reader.has(NFTNL_EXPR_DYNSET_TIMEOUT) && nftnl_expr_get_u64(&expression, NFTNL_EXPR_DYNSET_TIMEOUT) != 0;
  const bool is_plain = !reader.has(NFTNL_EXPR_DYNSET_SREG_DATA) && !has_timeout;
  if (!over || !is_plain) return reader.foreign();
  return Insert{reader.text(NFTNL_EXPR_DYNSET_SET_NAME), reader.number(NFTNL_EXPR_DYNSET_OP),
                reader.number(NFTNL_EXPR_DYNSET_SREG_KEY), *over};
}

Instruction decode_option(const Reader& reader) {
  if (!reader.has(NFTNL_EXPR_EXTHDR_SREG) || reader.number(NFTNL_EXPR_EXTHDR_OP) != NFT_EXTHDR_OP_TCPOPT) return reader.foreign();
  return TcpOptionSet{reader.octet(NFTNL_EXPR_EXTHDR_TYPE), reader.number(NFTNL_EXPR_EXTHDR_OFFSET),
                      reader.number(NFTNL_EXPR_EXTHDR_LEN), reader.number(NFTNL_EXPR_EXTHDR_SREG)};
}

bool is_to_network_order(const Reader& reader) {
  return reader.number(NFTNL_EXPR_BYTEORDER_OP) == NFT_BYTEORDER_HTON &&
         reader.number(NFTNL_EXPR_BYTEORDER_LEN) == octets_of_a_short &&
         reader.number(NFTNL_EXPR_BYTEORDER_SIZE) == octets_of_a_short;
}

/// Masquerading to other ports, or at random, is not ours.
bool is_plain_masquerade(const Reader& reader) {
  return reader.number(NFTNL_EXPR_MASQ_FLAGS) == 0 && !reader.has(NFTNL_EXPR_MASQ_REG_PROTO_MIN);
}

/// The kernel answers with a highest port as well, which is the lowest again when none was given.
Instruction decode_redirect(const Reader& reader) {
  const std::uint32_t lowest = reader.number(NFTNL_EXPR_REDIR_REG_PROTO_MIN);
  const bool is_range = reader.has(NFTNL_EXPR_REDIR_REG_PROTO_MAX) && reader.number(NFTNL_EXPR_REDIR_REG_PROTO_MAX) != lowest;
  if (is_range || reader.number(NFTNL_EXPR_REDIR_FLAGS) != NF_NAT_RANGE_PROTO_SPECIFIED) return reader.foreign();
  return RedirectTo{lowest};
}

}  // namespace

Handle<nftnl_expr> encode(const Instruction& instruction) { return std::visit(Encoder{}, instruction); }

std::optional<Instruction> decode(const nftnl_expr& expression) {
  const Reader reader{expression};
  const std::string_view name = nftnl_expr_get_str(&expression, NFTNL_EXPR_NAME);
  if (name == "byteorder" && reader.number(NFTNL_EXPR_BYTEORDER_LEN) < reader.number(NFTNL_EXPR_BYTEORDER_SIZE))
    return std::nullopt;
  if (name == "meta") {
    if (reader.has(NFTNL_EXPR_META_SREG)) return MetaSet{reader.number(NFTNL_EXPR_META_KEY), reader.number(NFTNL_EXPR_META_SREG)};
    return MetaLoad{reader.number(NFTNL_EXPR_META_KEY), reader.number(NFTNL_EXPR_META_DREG)};
  }
  if (name == "payload" && !reader.has(NFTNL_EXPR_PAYLOAD_SREG))
    return PayloadLoad{reader.number(NFTNL_EXPR_PAYLOAD_BASE), reader.number(NFTNL_EXPR_PAYLOAD_OFFSET),
                       reader.number(NFTNL_EXPR_PAYLOAD_LEN), reader.number(NFTNL_EXPR_PAYLOAD_DREG)};
  if (name == "fib")
    return RouteLookup{reader.number(NFTNL_EXPR_FIB_FLAGS), reader.number(NFTNL_EXPR_FIB_RESULT),
                       reader.number(NFTNL_EXPR_FIB_DREG)};
  if (name == "dynset") return decode_insert(expression);
  if (name == "rt") return RouteLoad{reader.number(NFTNL_EXPR_RT_KEY), reader.number(NFTNL_EXPR_RT_DREG)};
  if (name == "byteorder" && is_to_network_order(reader))
    return ToNetworkOrder{reader.number(NFTNL_EXPR_BYTEORDER_SREG), reader.number(NFTNL_EXPR_BYTEORDER_DREG)};
  if (name == "exthdr") return decode_option(reader);
  if (name == "masq" && is_plain_masquerade(reader)) return instruction::Masquerade{};
  if (name == "flow_offload") return FlowOffload{reader.text(NFTNL_EXPR_FLOW_TABLE_NAME)};
  if (name == "ct") return decode_ct(reader);
  if (name == "cmp") return decode_compare(reader);
  if (name == "bitwise") return decode_bitwise(reader);
  if (name == "immediate") return decode_immediate(reader);
  if (name == "lookup") return decode_lookup(reader);
  if (name == "objref" && reader.number(NFTNL_EXPR_OBJREF_IMM_TYPE) == NFT_OBJECT_COUNTER)
    return CountRef{reader.text(NFTNL_EXPR_OBJREF_IMM_NAME)};
  if (name == "redir") return decode_redirect(reader);
  if (name == "reject") return RejectWith{reader.number(NFTNL_EXPR_REJECT_TYPE), reader.octet(NFTNL_EXPR_REJECT_CODE)};
  return reader.foreign();
}

}  // namespace schultor::netfilter::kernel
