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

// After the ruleset's own: what it accepts bears its stamp by then.
constexpr std::int32_t after_the_rules = 10;
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
  add_chain(plan, {"without_stamp",
                   Hook{Hook::Type::filter, Hook::Point::forward, after_the_rules},
                   {{Is{Field::ct_mark, 0}, from_lan, drop}}});
  add_chain(plan, {"translate",
                   Hook{Hook::Type::nat, Hook::Point::postrouting, after_srcnat},
                   {{Is{Field::nfproto, NFPROTO_IPV4}, InSet{{Field::oifname}, "masqueraded"}, Masquerade{}}}});
  return plan;
}

}  // namespace schultor::netfilter::planner
