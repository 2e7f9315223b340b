// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/planner/box.hpp"

#include "netfilter/planner/build.hpp"
#include "netfilter/planner/ranges.hpp"
#include "netfilter/planner/statements.hpp"
#include "netfilter/planner/web.hpp"

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#include <linux/netfilter.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace schultor::netfilter::planner {
namespace {

using namespace model;
using base::Family;

constexpr std::int32_t priority_srcnat = 100;
constexpr std::uint8_t mld2_listener_report = 143;  // RFC 3810; no header has it

Chain to_gateway(bool answers_web) {
  Chain chain{"to_gateway",
              Hook{Hook::Type::filter, Hook::Point::input, 0, true},
              {{InSet{{Field::iifname}, "loopback"}, accept},
               {from_lan, InSet{{Field::icmpv6_type}, "link_messages"}, jump("limit_link_messages")},
               // Neighbours, routers and who listens to which group: without them there is no IPv6.
               {InSet{{Field::icmpv6_type}, "link_messages"}, accept},
               // A source that does not live on this side is not answered: what is refused or resolved would go to whoever it
               // pretends to be. No sysctl looks at the reverse path of IPv6.
               {from_lan, FromElsewhere{}, drop},
               // Before connections are looked at: each packet is to have its view, whatever it belongs to.
               {from_lan, InSet{{Field::l4proto}, "transport"}, Is{Field::th_dport, gate_port}, go_to("to_gate")},
               {InState{NF_CT_STATE_INVALID_BIT}, drop},
               {InState{NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED)}, accept},
               {jump("management")},
               {from_lan, InSet{{Field::udp_dport}, "lan_services_udp"}, go_to("admit_to_box")},
               {from_lan, InSet{{Field::tcp_dport}, "lan_services_tcp"}, go_to("admit_to_box")}}};
  if (answers_web) chain.rules.push_back(take_web());
  chain.rules.push_back({from_lan, go_to("refuse")});
  // Answers that go to all come from no connection of ours.
  chain.rules.push_back({InSet{{Field::udp_dport}, "dhcp_client"}, accept});
  return chain;
}

Chain to_gate() {
  return {"to_gate",
          {},
          {{jump("classify")},
           // A TCP session that the old view opened ends.
           {tcp, Is{Field::ct_mark, 0, true}, InSet{{Field::mark, Field::ct_mark}, "fresh_pair", true}, Reject::tcp_reset},
           {jump("limit_questions")},
           {is_new, jump("limit_box_connections")},
           {SetByMap{Target::ct_mark, Field::mark, "group_stamp"}},
           {SetByMap{Target::mark, Field::mark, "group_view"}, accept},
           {drop}}};
}

Chain admit_to_box() { return {"admit_to_box", {}, {{is_new, jump("limit_box_connections")}, {accept}}}; }

Chain management() {
  // An address that does not live on this side manages nothing. No sysctl looks at the reverse path of IPv6.
  Chain chain{"management", {}, {{FromElsewhere{}, leave}}};
  for (const auto& [source, set, type, echo] :
       {std::tuple(Field::ip_saddr, "management4", Field::icmp_type, std::uint32_t{ICMP_ECHO}),
        std::tuple(Field::ip6_saddr, "management6", Field::icmpv6_type, std::uint32_t{ICMP6_ECHO_REQUEST})}) {
    chain.rules.push_back({InSet{{source}, set}, InSet{{Field::tcp_dport}, "management_ports"}, accept});
    chain.rules.push_back({InSet{{source}, set}, Is{type, echo}, accept});
  }
  return chain;
}

template <typename Kind, typename Numbers>
Set constant(std::string name, Type type, const Numbers& numbers) {
  Set set{{std::move(name), {type}}};
  for (const auto number : numbers) set.elements.push_back({{Kind{number}}});
  std::sort(set.elements.begin(), set.elements.end());
  set.elements.erase(std::unique(set.elements.begin(), set.elements.end()), set.elements.end());
  return set;
}

}  // namespace

std::vector<Chain> box_chains(bool answers_web) {
  std::vector<Chain> chains{to_gateway(answers_web), to_gate(), admit_to_box(), management(),
                            Chain{"translate",
                                  Hook{Hook::Type::nat, Hook::Point::postrouting, priority_srcnat},
                                  {{Is{Field::nfproto, NFPROTO_IPV4}, InSet{{Field::oifname}, "masqueraded"}, Masquerade{}}}}};
  if (answers_web)
    for (auto& chain : web_chains()) chains.push_back(std::move(chain));
  return chains;
}

std::vector<Set> box_sets(const Intent& intent) {
  std::vector<Set> sets;
  sets.push_back({{"loopback", {Type::ifname}}, {{{InterfaceName{"lo"}}}}});
  sets.push_back(constant<IcmpType>(
      "link_messages", Type::icmpv6_type,
      std::array<std::uint8_t, 8>{MLD_LISTENER_QUERY, MLD_LISTENER_REPORT, MLD_LISTENER_REDUCTION, ND_ROUTER_SOLICIT,
                                  ND_ROUTER_ADVERT, ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT, mld2_listener_report}));
  sets.push_back(constant<Port>("lan_services_udp", Type::inet_service, std::array<std::uint16_t, 2>{67, 547}));
  sets.push_back(constant<Port>("lan_services_tcp", Type::inet_service, std::array<std::uint16_t, 2>{80, 443}));
  sets.push_back(constant<Port>("dhcp_client", Type::inet_service, std::array<std::uint16_t, 2>{68, 546}));
  sets.push_back(constant<Port>("management_ports", Type::inet_service, intent.management.ports));
  for (const auto& [name, type, family] :
       {std::tuple("management4", Type::ipv4_addr, Family::ipv4), std::tuple("management6", Type::ipv6_addr, Family::ipv6)}) {
    SetDeclaration declaration{name, {type}};
    declaration.interval = true;
    sets.push_back({std::move(declaration), merged_ranges(intent.management.prefixes, family)});
  }
  Set masqueraded{{"masqueraded", {Type::ifname}}};
  for (const auto& name : intent.masqueraded) masqueraded.elements.push_back({{InterfaceName{name}}});
  sets.push_back(std::move(masqueraded));
  if (intent.web)
    for (auto& set : web_sets(*intent.web)) sets.push_back(std::move(set));
  return sets;
}

}  // namespace schultor::netfilter::planner
