// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/planner/chains.hpp"

#include "netfilter/planner/build.hpp"

#include <netinet/in.h>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>

#include <fmt/format.h>

namespace schultor::netfilter::planner {
namespace {

using namespace model;

constexpr std::int32_t priority_mangle = -150;
constexpr std::int32_t priority_dstnat = -100;
constexpr std::uint16_t dns_port = 53;

const Statement original = Is{Field::ct_direction, IP_CT_DIR_ORIGINAL};
const Statement reply = Is{Field::ct_direction, IP_CT_DIR_REPLY};
const Statement tcp = Is{Field::l4proto, IPPROTO_TCP};
const Statement udp = Is{Field::l4proto, IPPROTO_UDP};
const Statement from_lan = InSet{{Field::iifname}, "lan"};
const Statement not_from_lan = InSet{{Field::iifname}, "lan", true};
const Statement accept = Verdict{Verdict::Code::accept};
const Statement drop = Verdict{Verdict::Code::drop};
const Statement leave = Verdict{Verdict::Code::leave};

Statement jump(std::string chain) { return Verdict{Verdict::Code::jump, std::move(chain)}; }
Statement go_to(std::string chain) { return Verdict{Verdict::Code::go_to, std::move(chain)}; }

Chain classify() {
  return {"classify",
          Hook{Hook::Type::filter, Hook::Point::prerouting, priority_mangle},
          {{not_from_lan, leave},
           {SetTo{Target::mark, 0}},
           // The last one that knows the device wins.
           {SetByMap{Target::mark, Field::iifname, "link_group"}},
           {SetByMap{Target::mark, Field::ip_saddr, "prefix_group4"}},
           {SetByMap{Target::mark, Field::ip6_saddr, "prefix_group6"}},
           {SetByMap{Target::mark, Field::ether_saddr, "device_group"}}}};
}

Chain redirect_dns() {
  // One port for all views: conntrack keeps a redirect for as long as a client keeps its socket, so a port for each view
  // would leave a resolver that keeps its port in the old view for good. The view travels in the packet mark.
  return {"redirect_dns",
          Hook{Hook::Type::nat, Hook::Point::prerouting, priority_dstnat},
          {{from_lan, Is{Field::tcp_dport, dns_port}, Redirect{gate_port}},
           {from_lan, Is{Field::udp_dport, dns_port}, Redirect{gate_port}}}};
}

Chain to_gateway() {
  return {"to_gateway",
          Hook{Hook::Type::filter, Hook::Point::input, 0},
          {{not_from_lan, leave}, {InSet{{Field::l4proto}, "transport"}, Is{Field::th_dport, gate_port}, go_to("to_gate")}}};
}

Chain to_gate() {
  return {"to_gate",
          {},
          {// A TCP session that the old view opened ends.
           {tcp, Is{Field::ct_mark, 0, true}, InSet{{Field::mark, Field::ct_mark}, "fresh_pair", true}, Reject::tcp_reset},
           {SetByMap{Target::ct_mark, Field::mark, "group_stamp"}},
           {SetByMap{Target::mark, Field::mark, "group_view"}, accept},
           {drop}}};
}

Chain through_gateway() {
  return {"through_gateway",
          Hook{Hook::Type::filter, Hook::Point::forward, 0, true},
          {// A packet that conntrack assigns to no flow can be judged by nobody. Refusing it would send a reset into a flow that
           // is admitted, the cloud's too: a late segment outside the window is such a packet.
           {InState{NF_CT_STATE_INVALID_BIT | NF_CT_STATE_UNTRACKED_BIT}, drop},
           {original, not_from_lan, drop},
           // To the cloud: no group, profile or missing element closes it.
           {Is{Field::ct_mark, cloud_stamp}, accept},
           {original, InSet{{Field::mark, Field::ct_mark}, "fresh_pair"}, accept},
           {reply, InSet{{Field::ct_mark}, "fresh"}, accept},
           // ICMP errors belong to their flow and pass above while it is in force. They admit none: the checks of ports do not
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

Chain admit() {
  return {"admit",
          {},
          {{SetByMap{Target::ct_mark, Field::mark, "group_stamp"}, accept},
           // Without a stamp nothing is in force for the group: an answer, where falling off the chain's end would be silence.
           {go_to("refuse")}}};
}

Chain refuse() { return {"refuse", {}, {{tcp, Reject::tcp_reset}, {Reject::admin_prohibited}}}; }

Field original_destination(base::Family family) {
  return family == base::Family::ipv4 ? Field::ct_original_ip_daddr : Field::ct_original_ip6_daddr;
}

/// A flow remembers in its labels which listed profiles allowed its destination, so that it outlives its pin across a switch.
Chain profile(const Profile& own, const std::vector<Profile>& all) {
  Chain chain{profile_chain(own.name), {}, {{jump("never")}}};
  // Before whatever admits: a name that is allowed opens no address that is not.
  if (own.blocked)
    for (const auto family : {base::Family::ipv4, base::Family::ipv6})
      chain.rules.push_back(
          {InSet{{original_destination(family)}, block_set(own.name, family)}, Count{refused_counter(own.name)}, go_to("refuse")});
  const auto remember = [&](const Profile& listed, bool admits) {
    for (const auto family : {base::Family::ipv4, base::Family::ipv6}) {
      Rule rule{InSet{{original_destination(family)}, pin_set(listed.name, family)}, SetLabel{listed.label}};
      if (admits) rule.push_back(go_to("admit"));
      chain.rules.push_back(std::move(rule));
    }
  };
  // What the other listed profiles allow is remembered first, for a switch to one of them.
  for (const Profile& other : all)
    if (other.listed && other.name != own.name) remember(other, false);
  if (!own.listed) {
    chain.rules.push_back({go_to("admit")});
    return chain;
  }
  chain.rules.push_back({HasLabel{own.label}, go_to("admit")});
  remember(own, true);
  chain.rules.push_back({Count{refused_counter(own.name)}, go_to("refuse")});
  return chain;
}

}  // namespace

std::vector<Chain> chains(const std::vector<Profile>& profiles) {
  std::vector<Chain> all{
      classify(),        redirect_dns(), to_gateway(), to_gate(),
      through_gateway(), cloud(),        never(),      Chain{"admit_cloud", {}, {{SetTo{Target::ct_mark, cloud_stamp}, accept}}},
      admit(),           refuse()};
  for (const Profile& own : profiles) all.push_back(profile(own, profiles));
  return all;
}

}  // namespace schultor::netfilter::planner
