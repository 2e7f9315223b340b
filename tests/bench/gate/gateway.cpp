// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/gate/gateway.hpp"

#include "daemon/enforce/gate_link.hpp"
#include "daemon/enforce/lists_in_force.hpp"
#include "daemon/enforce/moment.hpp"
#include "netfilter/kernel/connection.hpp"
#include "netfilter/kernel/watch.hpp"
#include "netfilter/planner/build.hpp"
#include "netfilter/planner/reconcile.hpp"
#include "netfilter/planner/switch.hpp"
#include "tests/bench/lib/listed_names.hpp"
#include "tests/bench/lib/measuring.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>
#include <vector>

namespace schultor::bench {
namespace {

namespace planner = netfilter::planner;

policy::GateRules rules(bool with_lists) {
  policy::ProfileNames school;
  school.name = "school";
  school.listed = true;
  school.allow = policy::NamePatterns({must(policy::parse_pattern("lernen.test", {}))});
  policy::ProfileNames leisure;
  leisure.name = "leisure";
  if (with_lists) {
    std::vector<policy::Category> all;
    for (std::size_t i = 0; i < lists_in_table; ++i) all.push_back({list_name(i), {}, {}});
    leisure.block_lists = policy::Categories(std::move(all));
  }
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

void serve_gate(const std::string& socket_path, std::uint16_t port, const std::string& table) {
  auto loop = must(base::EventLoop::create());
  auto kernel = must(netfilter::kernel::Connection::open());
  must(kernel.commit(planner::reconcile(planner::build(intent()), must(kernel.read(planner::table_name)))));
  kernel.use_refresh(must(kernel.probe_refresh()));
  // As schultord does: it listens to what others change, but not while it pins much.
  auto watch = must(netfilter::kernel::Watch::open(std::string(planner::table_name), kernel.port()));
  policy::GateRules held;
  const auto take_table = [&] {
    held = rules(!table.empty());
    auto lists = enforce::take_lists(table, held);
    if (!lists.lists) give_up(fmt::format("{}", fmt::join(lists.errors, "\n")));
    return std::move(lists.lists->table);
  };
  auto in_force = take_table();
  const auto pin = [&](const std::vector<dns::PinEntry>& entries) -> base::Result<void> {
    std::vector<planner::Pin> pins;
    for (const auto& entry : entries) {
      const auto meant = must(enforce::pins_of(held, entry.address, entry.doors, entry.lifetime));
      pins.insert(pins.end(), meant.begin(), meant.end());
    }
    must(watch.commit(kernel, planner::pin(pins), pins.size()));
    return {};
  };
  auto link = must(enforce::GateLink::listen(loop, socket_path, std::nullopt, must(enforce::open_dns_sockets(port)), {pin, [] {}}));
  std::uint64_t epoch = 1;
  link->announce({policy::to_json(held), {epoch, 1}, std::move(in_force)});
  const auto signals = must(loop.handle_signals([&] {
    auto table_now = take_table();
    link->announce({policy::to_json(held), {++epoch, 1}, std::move(table_now)});
  }));
  static_cast<void>(loop.run());
  std::_Exit(0);
}

}  // namespace schultor::bench
