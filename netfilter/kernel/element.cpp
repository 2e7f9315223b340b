// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/kernel/element.hpp"

#include "netfilter/kernel/attribute.hpp"

#include <libmnl/libmnl.h>
#include <netinet/in.h>

#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace schultor::netfilter::kernel {
namespace {

using namespace model;

/// nft's numbers of types (its datatype.h), the octets they take, and whether nft keeps them in the machine's byte order.
struct TypeInfo {
  Type type;
  std::uint32_t number;
  std::uint32_t length;
  bool host_order;
};
constexpr std::array<TypeInfo, 9> types{{{Type::ipv4_addr, 7, 4, false},
                                         {Type::ipv6_addr, 8, 16, false},
                                         {Type::ether_addr, 9, 6, false},
                                         {Type::inet_proto, 12, 1, false},
                                         {Type::inet_service, 13, 2, false},
                                         {Type::mark, 19, 4, true},
                                         {Type::ifname, 41, 16, true},
                                         {Type::icmp_type, 14, 1, false},
                                         {Type::icmpv6_type, 29, 1, false}}};
constexpr std::uint32_t type_bits = 6;
constexpr std::uint32_t concatenated = 0x80;  // NFT_SET_CONCAT
constexpr std::uint32_t known_flags = NFT_SET_INTERVAL | NFT_SET_MAP | NFT_SET_TIMEOUT | NFT_SET_EVAL | concatenated;

const TypeInfo& info(Type type) {
  return *std::find_if(types.begin(), types.end(), [&](const TypeInfo& known) { return known.type == type; });
}
std::uint32_t padded(std::uint32_t length) { return (length + 3) / 4 * 4; }

struct AtomBytes {
  Bytes& out;
  template <typename T>
  void plain(const T& value) const {
    const auto* octets = reinterpret_cast<const std::uint8_t*>(&value);
    out.insert(out.end(), octets, octets + sizeof value);
  }
  void operator()(const Mark& mark) const { plain(mark.value); }
  void operator()(const base::Address& address) const { out.insert(out.end(), address.bytes().begin(), address.bytes().end()); }
  void operator()(const base::Mac& mac) const { out.insert(out.end(), mac.octets.begin(), mac.octets.end()); }
  void operator()(const InterfaceName& interface) const {
    out.insert(out.end(), interface.name.begin(), interface.name.end());
    out.resize(out.size() + info(Type::ifname).length - interface.name.size());
  }
  void operator()(const Protocol& protocol) const { out.push_back(protocol.number); }
  void operator()(const Port& port) const { plain(htons(port.number)); }
  void operator()(const IcmpType& type) const { out.push_back(type.number); }
};

/// Fields of a concatenation start at multiples of four octets; a single field has its own length.
Bytes key_bytes(const Key& key) {
  Bytes bytes;
  for (const Atom& atom : key) {
    std::visit(AtomBytes{bytes}, atom);
    if (key.size() > 1) bytes.resize(padded(static_cast<std::uint32_t>(bytes.size())));
  }
  return bytes;
}

bool is_of(const Atom& atom, Type type) {
  switch (type) {
    case Type::ipv4_addr:
    case Type::ipv6_addr: {
      const auto* address = std::get_if<base::Address>(&atom);
      return address && (address->family == base::Family::ipv4) == (type == Type::ipv4_addr);
    }
    case Type::ether_addr:
      return std::holds_alternative<base::Mac>(atom);
    case Type::ifname: {
      const auto* interface = std::get_if<InterfaceName>(&atom);
      return interface && !interface->name.empty() && interface->name.size() < info(type).length;
    }
    case Type::inet_proto:
      return std::holds_alternative<Protocol>(atom);
    case Type::inet_service:
      return std::holds_alternative<Port>(atom);
    case Type::mark:
      return std::holds_alternative<Mark>(atom);
    case Type::icmp_type:
    case Type::icmpv6_type:
      return std::holds_alternative<IcmpType>(atom);
  }
  return false;
}

bool fits(const Key& key, const std::vector<Type>& types_of_key) {
  return std::equal(key.begin(), key.end(), types_of_key.begin(), types_of_key.end(), is_of);
}

Atom atom_of(Type type, const std::uint8_t* octets) {
  switch (type) {
    case Type::ipv4_addr:
      return base::address_from_bytes({octets, 4});
    case Type::ipv6_addr:
      return base::address_from_bytes({octets, 16});
    case Type::ether_addr: {
      base::Mac mac;
      std::copy_n(octets, mac.octets.size(), mac.octets.begin());
      return mac;
    }
    case Type::ifname: {
      const auto* text = reinterpret_cast<const char*>(octets);
      return InterfaceName{std::string(text, strnlen(text, info(type).length))};
    }
    case Type::inet_proto:
      return Protocol{*octets};
    case Type::inet_service:
      return Port{static_cast<std::uint16_t>(octets[0] << 8 | octets[1])};
    case Type::icmp_type:
    case Type::icmpv6_type:
      return IcmpType{*octets};
    case Type::mark: {
      Mark mark;
      std::memcpy(&mark.value, octets, sizeof mark.value);
      return mark;
    }
  }
  return Mark{};
}

std::optional<Key> key_of(const Bytes& bytes, const std::vector<Type>& types_of_key) {
  Key key;
  std::size_t at = 0;
  for (const Type type : types_of_key) {
    const std::uint32_t length = info(type).length;
    if (bytes.size() < at + length) return std::nullopt;
    key.push_back(atom_of(type, bytes.data() + at));
    at += types_of_key.size() > 1 ? padded(length) : length;
  }
  return at == bytes.size() ? std::optional(std::move(key)) : std::nullopt;
}

/// One more, or one less, as a big-endian number; false when it has run over.
bool increment(Bytes& bytes) {
  for (std::size_t i = bytes.size(); i-- > 0;)
    if (++bytes[i] != 0) return true;
  return false;
}
bool decrement(Bytes& bytes) {
  for (std::size_t i = bytes.size(); i-- > 0;)
    if (bytes[i]-- != 0) return true;
  return false;
}

void put_data(nlmsghdr* message, std::uint16_t attribute, const void* data, std::size_t length) {
  nlattr* nest = mnl_attr_nest_start(message, attribute);
  mnl_attr_put(message, NFTA_DATA_VALUE, length, data);
  mnl_attr_nest_end(message, nest);
}

int code_of(Verdict::Code code) {
  constexpr std::array<int, 5> codes{1, 0, NFT_RETURN, NFT_JUMP, NFT_GOTO};  // NF_ACCEPT and NF_DROP come first
  return codes.at(static_cast<std::size_t>(code));
}

void put_value(nlmsghdr* message, const Value& value) {
  if (const auto* mark = std::get_if<Mark>(&value)) put_data(message, NFTA_SET_ELEM_DATA, &mark->value, sizeof mark->value);
  if (const auto* verdict = std::get_if<Verdict>(&value)) {
    nlattr* data = mnl_attr_nest_start(message, NFTA_SET_ELEM_DATA);
    nlattr* nest = mnl_attr_nest_start(message, NFTA_DATA_VERDICT);
    mnl_attr_put_u32(message, NFTA_VERDICT_CODE, htonl(static_cast<std::uint32_t>(code_of(verdict->code))));
    if (!verdict->chain.empty()) mnl_attr_put_strz(message, NFTA_VERDICT_CHAIN, verdict->chain.c_str());
    mnl_attr_nest_end(message, nest);
    mnl_attr_nest_end(message, data);
  }
}

/// nft's note that a range has no end because it reaches the last value there is (libnftnl/udata.h).
constexpr std::array<std::uint8_t, 6> open_range{1, 4, 1, 0, 0, 0};

Verdict verdict_of(const nlattr& data) {
  Verdict verdict;
  for_each_nested(data, [&](const nlattr& part) {
    if (mnl_attr_get_type(&part) == NFTA_VERDICT_CHAIN && mnl_attr_validate(&part, MNL_TYPE_NUL_STRING) == 0)
      verdict.chain = mnl_attr_get_str(&part);
    if (mnl_attr_get_type(&part) == NFTA_VERDICT_CODE && mnl_attr_get_payload_len(&part) == sizeof(std::uint32_t))
      for (const auto code :
           {Verdict::Code::accept, Verdict::Code::drop, Verdict::Code::leave, Verdict::Code::jump, Verdict::Code::go_to})
        if (ntohl(mnl_attr_get_u32(&part)) == static_cast<std::uint32_t>(code_of(code))) verdict.code = code;
  });
  return verdict;
}

Value value_of(const nlattr& data) {
  Value value;
  for_each_nested(data, [&](const nlattr& attribute) {
    if (mnl_attr_get_type(&attribute) == NFTA_DATA_VALUE && mnl_attr_get_payload_len(&attribute) == sizeof(std::uint32_t))
      value = Mark{mnl_attr_get_u32(&attribute)};
    if (mnl_attr_get_type(&attribute) == NFTA_DATA_VERDICT) value = verdict_of(attribute);
  });
  return value;
}

Bytes bytes_of(const nlattr& data) {
  Bytes bytes;
  for_each_nested(data, [&](const nlattr& attribute) {
    if (mnl_attr_get_type(&attribute) != NFTA_DATA_VALUE) return;
    const auto* octets = static_cast<const std::uint8_t*>(mnl_attr_get_payload(&attribute));
    bytes.assign(octets, octets + mnl_attr_get_payload_len(&attribute));
  });
  return bytes;
}

std::uint64_t number64(const nlattr& attribute) {
  return mnl_attr_get_payload_len(&attribute) == sizeof(std::uint64_t) ? be64toh(mnl_attr_get_u64(&attribute)) : 0;
}

}  // namespace

SetAttributes attributes_of(const SetDeclaration& declaration) {
  SetAttributes attributes;
  bool host_order = false;
  for (const Type type : declaration.key) {
    attributes.key_type = attributes.key_type << type_bits | info(type).number;
    attributes.key_length += declaration.key.size() > 1 ? padded(info(type).length) : info(type).length;
    host_order = info(type).host_order;
  }
  const bool is_concatenation = declaration.key.size() > 1;
  const bool is_map = declaration.maps != Maps::nothing;
  if (declaration.interval) attributes.flags |= NFT_SET_INTERVAL;
  if (is_map) attributes.flags |= NFT_SET_MAP;
  if (declaration.timeout) attributes.flags |= NFT_SET_TIMEOUT;
  if (declaration.fills_itself > 0) attributes.flags |= NFT_SET_EVAL;
  attributes.size = declaration.fills_itself;
  attributes.lifetime = static_cast<std::uint64_t>(declaration.lifetime.count());
  if (declaration.interval && is_concatenation) {
    attributes.flags |= concatenated;
    for (const Type type : declaration.key) attributes.fields.push_back(static_cast<std::uint8_t>(info(type).length));
  }
  if (declaration.maps == Maps::to_mark) {
    attributes.data_type = info(Type::mark).number;
    attributes.data_length = info(Type::mark).length;
  } else if (declaration.maps == Maps::to_verdict) {
    attributes.data_type = NFT_DATA_VERDICT;
  }
  const auto note = [&](std::uint8_t kind, std::uint8_t order) {
    attributes.userdata.insert(attributes.userdata.end(), {kind, 4, order, 0, 0, 0});
  };
  constexpr std::uint8_t key_order = 0, data_order = 1, data_interval = 6, host = 1, network = 2, unknown = 0;
  note(key_order, is_concatenation ? unknown : host_order ? host : network);
  if (is_map) {
    note(data_order, declaration.maps == Maps::to_mark ? host : unknown);
    note(data_interval, 0);
  }
  return attributes;
}

std::optional<SetDeclaration> declaration_of(std::string name, const SetAttributes& attributes) {
  SetDeclaration declaration{std::move(name), {}};
  const auto flags = attributes.flags;
  for (std::uint32_t rest = attributes.key_type; rest != 0; rest >>= type_bits) {
    const std::uint32_t number = rest & ((1U << type_bits) - 1);
    const auto* known = std::find_if(types.begin(), types.end(), [&](const TypeInfo& type) { return type.number == number; });
    if (known == types.end()) return std::nullopt;
    declaration.key.insert(declaration.key.begin(), known->type);
  }
  declaration.interval = (flags & NFT_SET_INTERVAL) != 0;
  declaration.timeout = (flags & NFT_SET_TIMEOUT) != 0;
  if ((flags & NFT_SET_MAP) != 0) declaration.maps = attributes.data_type == NFT_DATA_VERDICT ? Maps::to_verdict : Maps::to_mark;
  if ((flags & NFT_SET_EVAL) != 0) declaration.fills_itself = attributes.size;
  declaration.lifetime = std::chrono::milliseconds(attributes.lifetime);
  const SetAttributes same = attributes_of(declaration);
  const bool is_ours = (flags & ~known_flags) == 0 && same.flags == flags && same.key_length == attributes.key_length &&
                       same.size == attributes.size &&
                       (declaration.maps == Maps::nothing || same.data_type == attributes.data_type);
  return is_ours ? std::optional(std::move(declaration)) : std::nullopt;
}

base::Result<void> check_element(const SetDeclaration& set, const Element& element) {
  const auto* verdict = std::get_if<Verdict>(&element.value);
  const bool catches_all = element.key.empty() && element.last.empty();
  if ((!catches_all && !fits(element.key, set.key)) || (!element.last.empty() && (!set.interval || !fits(element.last, set.key))))
    return base::fail("{{ {} }} is no element of {}: its key is of other types", to_string(element), set.name);
  if (verdict && verdict->chain.size() >= NFT_NAME_MAXLEN)
    return base::fail("{{ {} }}: the chain's name is longer than {} characters", to_string(element), NFT_NAME_MAXLEN - 1);
  return {};
}

void put_element(nlmsghdr* message, const SetDeclaration& set, const Element& element, bool with_value, Timeouts timeouts) {
  const bool is_concatenation = set.key.size() > 1;
  const Bytes key = key_bytes(element.key);
  Bytes last = element.last.empty() ? key : key_bytes(element.last);
  const bool is_tree = set.interval && !is_concatenation && !element.key.empty();
  Bytes end = last;
  const bool is_open = is_tree && !increment(end);

  nlattr* nest = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
  if (element.key.empty()) mnl_attr_put_u32(message, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_CATCHALL));
  if (timeouts != Timeouts::none && element.timeout) {
    const std::uint64_t milliseconds = htobe64(static_cast<std::uint64_t>(element.timeout->count()));
    mnl_attr_put_u64(message, NFTA_SET_ELEM_TIMEOUT, milliseconds);
    if (timeouts == Timeouts::refresh) mnl_attr_put_u64(message, NFTA_SET_ELEM_EXPIRATION, milliseconds);
  }
  if (!element.key.empty()) put_data(message, NFTA_SET_ELEM_KEY, key.data(), key.size());
  if (set.interval && is_concatenation && !element.key.empty()) put_data(message, NFTA_SET_ELEM_KEY_END, last.data(), last.size());
  if (with_value) put_value(message, element.value);
  if (is_open) mnl_attr_put(message, NFTA_SET_ELEM_USERDATA, open_range.size(), open_range.data());
  mnl_attr_nest_end(message, nest);

  if (!is_tree || is_open) return;
  nest = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
  mnl_attr_put_u32(message, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
  put_data(message, NFTA_SET_ELEM_KEY, end.data(), end.size());
  mnl_attr_nest_end(message, nest);
}

RawElement parse_element(const nlattr& element) {
  RawElement raw;
  for_each_nested(element, [&](const nlattr& attribute) {
    switch (mnl_attr_get_type(&attribute)) {
      case NFTA_SET_ELEM_KEY:
        raw.key = bytes_of(attribute);
        break;
      case NFTA_SET_ELEM_KEY_END:
        raw.last = bytes_of(attribute);
        break;
      case NFTA_SET_ELEM_DATA:
        raw.value = value_of(attribute);
        break;
      case NFTA_SET_ELEM_EXPIRATION:
        raw.left = std::chrono::milliseconds(number64(attribute));
        break;
      case NFTA_SET_ELEM_FLAGS: {
        const std::uint32_t flags =
            mnl_attr_get_payload_len(&attribute) == sizeof(std::uint32_t) ? ntohl(mnl_attr_get_u32(&attribute)) : 0;
        raw.is_end = (flags & NFT_SET_ELEM_INTERVAL_END) != 0;
        raw.catches_all = (flags & NFT_SET_ELEM_CATCHALL) != 0;
        break;
      }
      case NFTA_SET_ELEM_EXPR:
      case NFTA_SET_ELEM_EXPRESSIONS:
      case NFTA_SET_ELEM_OBJREF:
        raw.does_more = true;
        break;
      default:
        break;
    }
  });
  return raw;
}

std::optional<std::vector<Element>> elements_of(const SetDeclaration& set, std::vector<RawElement> raw) {
  const bool is_tree = set.interval && set.key.size() == 1;
  // An end that meets the next beginning comes first, so that each beginning is followed by its own end.
  if (is_tree)
    std::sort(raw.begin(), raw.end(),
              [](const RawElement& a, const RawElement& b) { return std::pair(a.key, !a.is_end) < std::pair(b.key, !b.is_end); });
  std::vector<Element> elements;
  elements.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    RawElement& own = raw[i];
    // As one with a limit, which matches now and then.
    if (own.does_more) return std::nullopt;
    if (own.is_end) continue;
    Bytes last = own.last;
    if (is_tree && !own.catches_all) {
      last.assign(own.key.size(), 0xff);
      if (i + 1 < raw.size() && raw[i + 1].is_end) {
        last = raw[i + 1].key;
        decrement(last);
      }
    }
    Element element{{}, {}, std::move(own.value), own.left};
    if (!own.catches_all) {
      auto key = key_of(own.key, set.key);
      if (!key) return std::nullopt;
      element.key = std::move(*key);
      if (!last.empty() && last != own.key) {
        auto range_end = key_of(last, set.key);
        if (!range_end) return std::nullopt;
        element.last = std::move(*range_end);
      }
    }
    elements.push_back(std::move(element));
  }
  std::sort(elements.begin(), elements.end());
  return elements;
}

}  // namespace schultor::netfilter::kernel
