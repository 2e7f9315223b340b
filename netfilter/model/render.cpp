// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/model/ruleset.hpp"

#include <fmt/format.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>

#include <array>
#include <string_view>

namespace schultor::netfilter::model {
namespace {

std::string_view text_of(Field field) {
  switch (field) {
    case Field::iifname:
      return "iifname";
    case Field::oifname:
      return "oifname";
    case Field::nfproto:
      return "meta nfproto";
    case Field::mark:
      return "meta mark";
    case Field::l4proto:
      return "meta l4proto";
    case Field::ip_saddr:
      return "ip saddr";
    case Field::ip_daddr:
      return "ip daddr";
    case Field::ip6_saddr:
      return "ip6 saddr";
    case Field::ip6_daddr:
      return "ip6 daddr";
    case Field::ip_ttl:
      return "ip ttl";
    case Field::ip6_hoplimit:
      return "ip6 hoplimit";
    case Field::icmp_type:
      return "icmp type";
    case Field::icmpv6_type:
      return "icmpv6 type";
    case Field::ether_saddr:
      return "ether saddr";
    case Field::th_sport:
      return "th sport";
    case Field::th_dport:
      return "th dport";
    case Field::tcp_dport:
      return "tcp dport";
    case Field::udp_dport:
      return "udp dport";
    case Field::ct_mark:
      return "ct mark";
    case Field::ct_direction:
      return "ct direction";
    case Field::ct_original_ip_daddr:
      return "ct original ip daddr";
    case Field::ct_original_ip6_daddr:
      return "ct original ip6 daddr";
    case Field::ct_original_proto_dst:
      return "ct original proto-dst";
  }
  return {};
}

std::string_view text_of(Target target) { return target == Target::mark ? "meta mark" : "ct mark"; }

std::string_view text_of(Type type) {
  switch (type) {
    case Type::ipv4_addr:
      return "ipv4_addr";
    case Type::ipv6_addr:
      return "ipv6_addr";
    case Type::ether_addr:
      return "ether_addr";
    case Type::ifname:
      return "ifname";
    case Type::inet_proto:
      return "inet_proto";
    case Type::inet_service:
      return "inet_service";
    case Type::mark:
      return "mark";
    case Type::icmp_type:
      return "icmp_type";
    case Type::icmpv6_type:
      return "icmpv6_type";
  }
  return {};
}

std::string value_text(Field field, std::uint32_t value) {
  switch (field) {
    case Field::mark:
    case Field::ct_mark:
      return to_string(Atom(Mark{value}));
    case Field::l4proto:
      return to_string(Atom(Protocol{static_cast<std::uint8_t>(value)}));
    case Field::nfproto:
      return value == NFPROTO_IPV4 ? "ipv4" : "ipv6";
    case Field::ct_direction:
      return value == IP_CT_DIR_ORIGINAL ? "original" : "reply";
    default:
      return std::to_string(value);
  }
}

std::string states_text(std::uint32_t bits) {
  constexpr std::array<std::pair<std::uint32_t, std::string_view>, 5> names{{{NF_CT_STATE_INVALID_BIT, "invalid"},
                                                                             {NF_CT_STATE_BIT(IP_CT_ESTABLISHED), "established"},
                                                                             {NF_CT_STATE_BIT(IP_CT_RELATED), "related"},
                                                                             {NF_CT_STATE_BIT(IP_CT_NEW), "new"},
                                                                             {NF_CT_STATE_UNTRACKED_BIT, "untracked"}}};
  std::string text;
  for (const auto& [bit, name] : names)
    if ((bits & bit) != 0) text += (text.empty() ? "" : ",") + std::string(name);
  return text;
}

std::string joined(const std::vector<Field>& fields) {
  std::string text;
  for (const Field field : fields) text += (text.empty() ? "" : " . ") + std::string(text_of(field));
  return text;
}

struct StatementText {
  std::string operator()(const InSet& in) const {
    return fmt::format("{}{} @{}", joined(in.fields), in.negated ? " !=" : "", in.set);
  }
  std::string operator()(const Is& is) const {
    return fmt::format("{}{} {}", text_of(is.field), is.negated ? " !=" : "", value_text(is.field, is.value));
  }
  std::string operator()(const InState& state) const { return "ct state " + states_text(state.bits); }
  std::string operator()(const FromElsewhere&) const { return "fib saddr . iif oif missing"; }
  std::string operator()(const IsSyn&) const { return "tcp flags syn"; }
  std::string operator()(const CountConnections& count) const {
    return fmt::format("add @{} {{ {} ct count over {} }}", count.set, text_of(count.key), count.most);
  }
  std::string operator()(const LimitRate& limit) const {
    return fmt::format("update @{} {{ {} limit rate over {}/second burst {} packets }}", limit.set, text_of(limit.key),
                       limit.per_second, limit.burst);
  }
  std::string operator()(const Remember& remember) const {
    return fmt::format("add @{} {{ {} }}", remember.set, joined(remember.fields));
  }
  std::string operator()(const HasLabel& label) const { return fmt::format("ct label {}", label.bit); }
  std::string operator()(const SetByMap& set) const {
    return fmt::format("{} set {} map @{}", text_of(set.target), text_of(set.key), set.map);
  }
  std::string operator()(const SetTo& set) const { return fmt::format("{} set 0x{:08x}", text_of(set.target), set.value); }
  std::string operator()(const SetByShift& set) const {
    return fmt::format("{} set {} >> {}", text_of(set.target), text_of(set.source), set.shift);
  }
  std::string operator()(const SetLabel& label) const { return fmt::format("ct label set {}", label.bit); }
  std::string operator()(const Count& count) const { return fmt::format("counter name \"{}\"", count.counter); }
  std::string operator()(const Redirect& redirect) const { return fmt::format("redirect to :{}", redirect.port); }
  std::string operator()(const Masquerade&) const { return "masquerade"; }
  std::string operator()(const ClampSegments&) const { return "tcp option maxseg size set rt mtu"; }
  std::string operator()(const AddFlow& add) const { return fmt::format("flow add @{}", add.flowtable); }
  std::string operator()(const Reject& reject) const {
    return reject == Reject::tcp_reset ? "reject with tcp reset" : "reject with icmpx admin-prohibited";
  }
  std::string operator()(const ByVerdictMap& by) const { return fmt::format("{} vmap @{}", text_of(by.key), by.map); }
  std::string operator()(const Verdict& verdict) const { return to_string(verdict); }
};

std::string priority_text(const Hook& hook) {
  if (hook.priority == 0) return "filter";
  if (hook.priority == -150) return "mangle";
  if (hook.priority == 100 && hook.point == Hook::Point::postrouting) return "srcnat";
  if (hook.priority == -100 && hook.point == Hook::Point::prerouting) return "dstnat";
  return std::to_string(hook.priority);
}

void render_set(const Set& set, std::string& out) {
  const auto& declaration = set.declaration;
  std::string types;
  for (const Type type : declaration.key) types += (types.empty() ? "" : " . ") + std::string(text_of(type));
  if (declaration.maps == Maps::to_mark) types += " : mark";
  if (declaration.maps == Maps::to_verdict) types += " : verdict";
  out += fmt::format("\t{} {} {{\n\t\ttype {}\n", declaration.maps == Maps::nothing ? "set" : "map", declaration.name, types);
  if (declaration.fills_itself > 0) out += fmt::format("\t\tsize {}\n", declaration.fills_itself);
  std::string flags;
  const auto add_flag = [&](bool has, std::string_view flag) {
    if (has) flags += (flags.empty() ? "" : ",") + std::string(flag);
  };
  add_flag(declaration.interval, "interval");
  add_flag(declaration.fills_itself > 0, "dynamic");
  add_flag(declaration.timeout, "timeout");
  if (!flags.empty()) out += fmt::format("\t\tflags {}\n", flags);
  if (declaration.lifetime.count() > 0) out += fmt::format("\t\ttimeout {}s\n", declaration.lifetime.count() / 1000);
  for (std::size_t i = 0; i < set.elements.size(); ++i)
    out += fmt::format("{}{}{}", i == 0 ? "\t\telements = {\n\t\t\t" : "\t\t\t", to_string(set.elements[i]),
                       i + 1 == set.elements.size() ? "\n\t\t}\n" : ",\n");
  out += "\t}\n";
}

void render_flowtable(const Flowtable& flowtable, std::string& out) {
  std::string devices;
  for (const auto& device : flowtable.devices) devices += (devices.empty() ? "" : ", ") + to_string(Atom(InterfaceName{device}));
  out += fmt::format("\tflowtable {} {{\n\t\thook ingress priority {}\n\t\tdevices = {{ {} }}\n\t}}\n", flowtable.name,
                     flowtable.priority == 0 ? "filter" : std::to_string(flowtable.priority), devices);
}

void render_chain(const Chain& chain, std::string& out) {
  constexpr std::array<std::string_view, 5> points{"prerouting", "input", "forward", "output", "postrouting"};
  out += fmt::format("\tchain {} {{\n", chain.name);
  if (chain.hook)
    out += fmt::format("\t\ttype {} hook {} priority {}; policy {};\n", chain.hook->type == Hook::Type::nat ? "nat" : "filter",
                       points.at(static_cast<std::size_t>(chain.hook->point)), priority_text(*chain.hook),
                       chain.hook->drops ? "drop" : "accept");
  for (const Rule& rule : chain.rules) out += fmt::format("\t\t{}\n", to_string(rule));
  out += "\t}\n";
}

}  // namespace

std::string to_string(const Rule& rule) {
  std::string text;
  for (const Statement& statement : rule) text += (text.empty() ? "" : " ") + std::visit(StatementText{}, statement);
  return text;
}

std::string render(const Ruleset& ruleset) {
  std::string out = fmt::format("table inet {} {{\n", ruleset.table);
  for (const auto& counter : ruleset.counters) out += fmt::format("\tcounter {} {{\n\t}}\n", counter);
  for (const Set& set : ruleset.sets) render_set(set, out);
  for (const Flowtable& flowtable : ruleset.flowtables) render_flowtable(flowtable, out);
  for (const Chain& chain : ruleset.chains) render_chain(chain, out);
  return out + "}\n";
}

}  // namespace schultor::netfilter::model
