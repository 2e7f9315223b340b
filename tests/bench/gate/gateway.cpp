// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/gate/gateway.hpp"

#include "daemon/enforce/gate_link.hpp"
#include "daemon/enforce/moment.hpp"
#include "netfilter/kernel/connection.hpp"
#include "netfilter/planner/build.hpp"
#include "netfilter/planner/reconcile.hpp"
#include "netfilter/planner/switch.hpp"
#include "tests/bench/lib/measuring.hpp"

#include <cstdlib>

namespace schultor::bench {
namespace {

namespace planner = netfilter::planner;

policy::GateRules rules() {
  policy::ProfileNames school;
  school.name = "school";
  school.listed = true;
  school.allow = policy::NamePatterns({must(policy::parse_pattern("lernen.test", {}))});
  policy::ProfileNames leisure;
  leisure.name = "leisure";
  policy::GateRules made;
  made.profiles = {school, leisure};
  made.views = {{school_view, {0, false}}, {leisure_view, {1, false}}};
  return made;
}

planner::Intent intent() {
  planner::Intent made;
  made.lan_interfaces = {"lan0"};
  made.profiles = {{"school", true, 1}, {"leisure", false, 0}};
  made.groups = {{1, "school", school_view, 1}, {2, "leisure", leisure_view, 1}};
  return made;
}

}  // namespace

void serve_gate(const std::string& socket_path) {
  auto loop = must(base::EventLoop::create());
  auto kernel = must(netfilter::kernel::Connection::open());
  must(kernel.commit(planner::reconcile(planner::build(intent()), must(kernel.read(planner::table_name)))));
  kernel.use_refresh(must(kernel.probe_refresh()));
  const auto held = rules();
  const auto pin = [&](const std::vector<dns::PinEntry>& entries) -> base::Result<void> {
    std::vector<planner::Pin> pins;
    for (const auto& entry : entries) {
      const auto meant = must(enforce::pins_of(held, entry.address, entry.doors, entry.lifetime));
      pins.insert(pins.end(), meant.begin(), meant.end());
    }
    must(kernel.commit(planner::pin(pins)));
    return {};
  };
  auto link = must(enforce::GateLink::listen(loop, socket_path, std::nullopt, must(enforce::open_dns_sockets()), {pin, [] {}}));
  link->announce({policy::to_json(held), {1, 1}});
  static_cast<void>(loop.run());
  std::_Exit(0);
}

}  // namespace schultor::bench
