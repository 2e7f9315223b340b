// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/planner/web.hpp"

#include "netfilter/planner/statements.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace schultor::netfilter::planner {
namespace {

using namespace model;

constexpr std::int32_t priority_dstnat = -100;
constexpr std::uint16_t http = 80;
constexpr std::uint16_t https = 443;

Set set_of(std::string name, Type type, std::vector<Atom> atoms) {
  Set set{{std::move(name), {type}}};
  for (auto& atom : atoms) set.elements.push_back({{std::move(atom)}});
  std::sort(set.elements.begin(), set.elements.end());
  set.elements.erase(std::unique(set.elements.begin(), set.elements.end()), set.elements.end());
  return set;
}

Chain redirect_web() {
  Chain chain{"redirect_web", Hook{Hook::Type::nat, Hook::Point::prerouting, priority_dstnat}, {}};
  for (const auto& [field, own] : {std::pair(Field::ip_daddr, "own4"), std::pair(Field::ip6_daddr, "own6")}) {
    const Statement to_us = InSet{{field}, own};
    chain.rules.push_back({from_lan, to_us, Is{Field::tcp_dport, http}, Redirect{web_port}});
    chain.rules.push_back({from_lan, to_us, Is{Field::tcp_dport, https}, go_to("redirect_tls")});
  }
  return chain;
}

Chain redirect_tls() {
  return {"redirect_tls",
          {},
          {{jump("classify")}, {tcp, InSet{{Field::mark}, "terminating"}, Redirect{tls_port}}, {tcp, Redirect{passthrough_port}}}};
}

}  // namespace

std::vector<Chain> web_chains() { return {redirect_web(), redirect_tls()}; }

std::vector<Set> web_sets(const Web& web) {
  std::vector<Atom> own4, own6, terminating;
  for (const auto& address : web.addresses) (address.family == base::Family::ipv4 ? own4 : own6).emplace_back(address);
  for (const auto number : web.terminating) terminating.emplace_back(Mark{number});
  return {set_of("own4", Type::ipv4_addr, std::move(own4)), set_of("own6", Type::ipv6_addr, std::move(own6)),
          set_of("terminating", Type::mark, std::move(terminating)),
          set_of("web_ports", Type::inet_service, {Port{web_port}, Port{tls_port}, Port{passthrough_port}})};
}

Rule take_web() {
  // As they were sent: whoever asks for one of the ports itself is refused.
  return {from_lan, InSet{{Field::tcp_dport}, "web_ports"}, InSet{{Field::ct_original_proto_dst}, "lan_services_tcp"},
          go_to("admit_to_box")};
}

}  // namespace schultor::netfilter::planner
