// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/planner/belt.hpp"

#include "netfilter/planner/statements.hpp"

#include <linux/netfilter.h>

#include <set>

namespace schultor::netfilter::planner {
namespace {

using namespace model;
using namespace operation;

// Behind the ruleset's own, which is done with what it translates: what it accepts bears its stamp by then.
constexpr std::int32_t after_srcnat = 110;

void add_interfaces(Plan& plan, const std::string& name, const std::vector<std::string>& interfaces) {
  const SetDeclaration set{name, {Type::ifname}};
  std::vector<Element> elements;
  for (const auto& one : std::set<std::string>(interfaces.begin(), interfaces.end())) elements.push_back({{InterfaceName{one}}});
  plan.operations.push_back(AddSet{set});
  if (!elements.empty()) plan.operations.push_back(AddElements{set, std::move(elements)});
}

void add_chain(Plan& plan, const Chain& chain) {
  plan.operations.push_back(AddChain{chain.name, chain.hook});
  for (const Rule& rule : chain.rules) plan.operations.push_back(AddRule{chain.name, rule});
}

}  // namespace

Plan belt(const std::vector<std::string>& lan_interfaces, const std::vector<std::string>& masqueraded) {
  Plan plan{std::string(belt_name), {AddTable{true}, DeleteTable{}, AddTable{true}}};
  add_interfaces(plan, "lan", lan_interfaces);
  add_interfaces(plan, "masqueraded", masqueraded);
  // A chain of this kind sees the first packet of a flow and no other: in the chain of forwarded packets the same rule would be
  // paid for by each of them.
  add_chain(plan, {"first_packets",
                   Hook{Hook::Type::nat, Hook::Point::postrouting, after_srcnat},
                   {// The machine's own IGMP leaves as if it had come in where it goes out.
                    {Is{Field::ct_mark, 0}, from_lan, Is{Field::l4proto, IPPROTO_IGMP, true}, drop},
                    {Is{Field::nfproto, NFPROTO_IPV4}, InSet{{Field::oifname}, "masqueraded"}, Masquerade{}}}});
  return plan;
}

}  // namespace schultor::netfilter::planner
