// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/planner/chains.hpp"

#include "netfilter/planner/box.hpp"
#include "netfilter/planner/build.hpp"
#include "netfilter/planner/limits.hpp"
#include "netfilter/planner/statements.hpp"

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#include <iterator>

namespace schultor::netfilter::planner {
namespace {

using namespace model;

constexpr std::int32_t priority_dstnat = -100;
constexpr std::uint16_t dns_port = 53;

/// Whose packet it is. To be jumped to where that counts, for packets of the LAN: what has the cloud's stamp, and what answers, is
/// nobody's.
Chain classify() {
  return {"classify",
          {},
          {// The first one that knows the device wins: of the roster's, nothing else is looked up for each packet.
           {SetByMap{Target::mark, Field::ether_saddr, "device_group"}, leave},
           {SetTo{Target::mark, 0}},
           {SetByMap{Target::mark, Field::ip_saddr, "prefix_group4"}, leave},
           {SetByMap{Target::mark, Field::ip6_saddr, "prefix_group6"}, leave},
           {SetByMap{Target::mark, Field::iifname, "link_group"}}}};
}

Chain redirect_dns() {
  // One port for all views: conntrack keeps a redirect for as long as a client keeps its socket, so a port for each view
  // would leave a resolver that keeps its port in the old view for good. The view travels in the packet mark.
  return {"redirect_dns",
          Hook{Hook::Type::nat, Hook::Point::prerouting, priority_dstnat},
          {{from_lan, Is{Field::tcp_dport, dns_port}, Redirect{gate_port}},
           {from_lan, Is{Field::udp_dport, dns_port}, Redirect{gate_port}}}};
}

void append(std::vector<Rule>& rules, std::vector<Rule> more) {
  rules.insert(rules.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// To the cloud: no group, profile or missing element closes it.
void pass_cloud(bool offloads, std::vector<Rule>& rules) {
  const Statement of_cloud = Is{Field::ct_mark, cloud_stamp};
  // By itself, since it ends the rule where the kernel cannot do it. Only what is answered: a flood of datagrams fills no table.
  if (offloads) rules.push_back({of_cloud, is_established, AddFlow{std::string(cloud_flows)}});
  rules.push_back({of_cloud, accept});
}

/// Each rule before "judge" is paid for by every packet, so there are as few as can be. What conntrack assigns to no flow has
/// neither a direction nor a stamp, and passes none of them.
Chain through_gateway(bool offloads) {
  Chain chain{
      "through_gateway",
      Hook{Hook::Type::filter, Hook::Point::forward, 0, true},
      {// No packet is longer than the narrower of the ways to either side bears: whoever sits behind a tunnel or DSL would
       // find that large pages hang. Here, since a chain of its own is entered by all packets, and costs more than this rule.
       {IsSyn{}, ClampSegments{}},
       {original, go_to("outbound")}}};
  pass_cloud(offloads, chain.rules);
  chain.rules.push_back({InSet{{Field::ct_mark}, "fresh"}, accept});
  chain.rules.push_back({go_to("judge")});
  return chain;
}

/// From tablets.
Chain outbound(bool offloads) {
  Chain chain{"outbound", {}, {{not_from_lan, drop}}};
  pass_cloud(offloads, chain.rules);
  append(chain.rules,
         {// Pings are a connection each, and one could be talked through for ever. TCP is told apart by the first comparison.
          {Is{Field::l4proto, IPPROTO_TCP, true}, InSet{{Field::l4proto}, "icmp_any"}, jump("limit_echoes")},
          {jump("classify")},
          {InSet{{Field::mark, Field::ct_mark}, "fresh_pair"}, accept},
          {go_to("judge")}});
  return chain;
}

/// Flows that are not the cloud's, or not known to be, and have no stamp that is in force.
Chain judge() {
  return {"judge",
          {},
          {// A packet that conntrack assigns to no flow can be judged by nobody. Refusing it would send a reset into a flow
           // that is admitted, the cloud's too: a late segment outside the window is such a packet.
           {InState{NF_CT_STATE_INVALID_BIT | NF_CT_STATE_UNTRACKED_BIT}, drop},
           // ICMP errors belong to their flow and have passed while it is in force. They admit none: the checks of ports do not
           // see the flow's through them, so an error would stamp a DNS flow that is older than the table. The flow's own
           // next packet is judged, and whoever caused the error says it again.
           {InSet{{Field::l4proto}, "icmp_any"}, InState{NF_CT_STATE_BIT(IP_CT_RELATED)}, drop},
           // A flow is judged again from whichever side speaks first after a switch (a server in the middle of a download
           // does), always by its original destination and its own group.
           {reply, SetByShift{Target::mark, Field::ct_mark, 16}},
           // A source that does not live on the side it speaks from is not answered: a refusal quotes the packet, and would carry
           // it to whoever the source pretends to be. No sysctl looks at the reverse path of IPv6.
           {original, FromElsewhere{}, drop},
           {jump("cloud")},
           {original, jump("hops")},
           // A flow older than the table, whose server speaks first: nobody knows its group yet. A reset would cut a flow that
           // may be allowed; without the answer the tablet speaks next, and is judged.
           {reply, Is{Field::ct_mark, 0}, drop},
           {ByVerdictMap{Field::mark, "group_policy"}},
           {go_to("refuse")}}};
}

Chain cloud() {
  Chain chain{"cloud"};
  const auto add = [&](const Statement& direction, Field address, Field port, std::string set) {
    chain.rules.push_back({direction, InSet{{address, Field::l4proto, port}, std::move(set)}, go_to("admit_cloud")});
  };
  for (const std::string set : {"cloud", "cloud_service"}) {
    add(original, Field::ip_daddr, Field::th_dport, set + "4");
    add(original, Field::ip6_daddr, Field::th_dport, set + "6");
  }
  for (const std::string set : {"cloud", "cloud_service"}) {
    add(reply, Field::ip_saddr, Field::th_sport, set + "4");
    add(reply, Field::ip6_saddr, Field::th_sport, set + "6");
  }
  return chain;
}

Chain never() {
  const Statement dns = InSet{{Field::ct_original_proto_dst}, "dns_service"};
  return {"never",
          {},
          {{InSet{{Field::ct_original_ip_daddr}, "never4"}, go_to("refuse")},
           {InSet{{Field::ct_original_ip6_daddr}, "never6"}, go_to("refuse")},
           // Also DNS flows older than the table, which no redirect touches any more.
           {tcp, dns, go_to("refuse")},
           {udp, dns, go_to("refuse")}}};
}

Chain admit_cloud() {
  return {"admit_cloud",
          {},
          {{is_new, jump("limit_cloud_connections")}, {Count{admitted_counter("")}, SetTo{Target::ct_mark, cloud_stamp}, accept}}};
}

Chain refuse() {
  return {"refuse",
          {},
          {// What is refused is admitted no more, under whatever stamp: a server would go on to send to a tablet that moved. Not
           // TCP, whose other end is to be judged by its stamp, and reset as well.
           {Is{Field::l4proto, IPPROTO_TCP, true}, original, SetTo{Target::ct_mark, 0}},
           {original, jump("limit_addresses")},
           {original, tcp, jump("limit_resets")},
           {tcp, Reject::tcp_reset},
           {original, jump("limit_errors")},
           {Reject::admin_prohibited}}};
}

/// What a device sends by itself starts with 64, 128 or 255 (RFC 1700, and what systems do), some small ones' with 32 or 60, and
/// this machine has counted itself by the time a packet is forwarded. Another number is of a device behind a device, with its
/// address translated or not: behind four of them it would take 60.
Chain hops() {
  const auto is_not_one_of = [](Field field) {
    Rule rule;
    for (const std::uint32_t fresh : {32U, 60U, 64U, 128U, 255U}) rule.push_back(Is{field, fresh - 1, true});
    rule.insert(rule.end(), {Count{"refused.hop"}, go_to("refuse")});
    return rule;
  };
  return {"hops",
          {},
          {{InSet{{Field::ip_saddr}, "routed4"}, leave},
           {InSet{{Field::ip6_saddr}, "routed6"}, leave},
           is_not_one_of(Field::ip_ttl),
           is_not_one_of(Field::ip6_hoplimit)}};
}

Field original_destination(base::Family family) {
  return family == base::Family::ipv4 ? Field::ct_original_ip_daddr : Field::ct_original_ip6_daddr;
}

/// Tunnels and proxies: what carries anything past what the names say.
void close_ways_round(const Profile& own, Chain& chain) {
  const Rule refused{Count{refused_counter(own.name)}, go_to("refuse")};
  const auto close = [&](Rule rule) {
    rule.insert(rule.end(), refused.begin(), refused.end());
    chain.rules.push_back(std::move(rule));
  };
  close({InSet{{Field::l4proto}, "usual_protocols", true}});
  close({original, Is{Field::icmp_type, ICMP_ECHO, true}});
  close({original, Is{Field::icmpv6_type, ICMP6_ECHO_REQUEST, true}});
  close({tcp, InSet{{Field::ct_original_proto_dst}, closed_ports(own.name, IPPROTO_TCP)}});
  close({udp, InSet{{Field::ct_original_proto_dst}, closed_ports(own.name, IPPROTO_UDP)}});
}

/// A flow remembers in its labels which listed profiles allowed its destination, so that it outlives its pin across a switch.
Chain profile(const Profile& own, const std::vector<Profile>& all) {
  Chain chain{profile_chain(own.name), {}, {{jump("never")}}};
  // Before whatever admits: a name that is allowed opens no address that is not.
  if (own.blocked)
    for (const auto family : {base::Family::ipv4, base::Family::ipv6})
      chain.rules.push_back(
          {InSet{{original_destination(family)}, block_set(own.name, family)}, Count{refused_counter(own.name)}, go_to("refuse")});
  if (own.closed) close_ways_round(own, chain);
  const auto remember = [&](const Profile& listed, bool admits) {
    for (const auto family : {base::Family::ipv4, base::Family::ipv6}) {
      Rule rule{InSet{{original_destination(family)}, pin_set(listed.name, family)}, SetLabel{listed.label}};
      if (admits) rule.push_back(go_to(admitting_chain(own.name)));
      chain.rules.push_back(std::move(rule));
    }
  };
  // What the other listed profiles allow is remembered first, for a switch to one of them.
  for (const Profile& other : all)
    if (other.listed && other.name != own.name) remember(other, false);
  if (!own.listed) {
    for (const auto& [field, set] :
         {std::pair(Field::ct_original_ip_daddr, "inside4"), std::pair(Field::ct_original_ip6_daddr, "inside6")})
      chain.rules.push_back({InSet{{field}, set}, go_to(inside_chain(own.name))});
    chain.rules.push_back({go_to(admitting_chain(own.name))});
    return chain;
  }
  chain.rules.push_back({HasLabel{own.label}, go_to(admitting_chain(own.name))});
  remember(own, true);
  chain.rules.push_back({Count{refused_counter(own.name)}, go_to("refuse")});
  return chain;
}

Chain admitting(const Profile& own) {
  return {admitting_chain(own.name),
          {},
          {{is_new, jump("limit_connections")},
           {SetByMap{Target::ct_mark, Field::mark, "group_stamp"}, Count{admitted_counter(own.name)}, accept},
           // Without a stamp nothing is in force for the group: an answer, where falling off the chain's end would be silence.
           {go_to("refuse")}}};
}

/// Of private networks an open profile opens what a listed one has pinned: a name of the school's own.
Chain inside(const Profile& own, const std::vector<Profile>& all) {
  Chain chain{inside_chain(own.name)};
  for (const Profile& listed : all)
    if (listed.listed) chain.rules.push_back({HasLabel{listed.label}, go_to(admitting_chain(own.name))});
  chain.rules.push_back({Count{refused_counter(own.name)}, go_to("refuse")});
  return chain;
}

}  // namespace

std::vector<Chain> chains(const std::vector<Profile>& profiles, bool offloads, bool answers_web) {
  std::vector<Chain> all{
      classify(),    redirect_dns(), through_gateway(offloads), outbound(offloads), judge(), hops(), cloud(), never(),
      admit_cloud(), refuse()};
  const auto add = [&](std::vector<Chain> more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  };
  add(box_chains(answers_web));
  add(limit_chains());
  for (const Profile& own : profiles) {
    all.push_back(profile(own, profiles));
    if (!own.listed) all.push_back(inside(own, profiles));
    all.push_back(admitting(own));
  }
  return all;
}

}  // namespace schultor::netfilter::planner
