// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/enforcer.hpp"

#include "netfilter/planner/build.hpp"
#include "netfilter/planner/reconcile.hpp"
#include "netfilter/planner/switch.hpp"

#include <sys/random.h>

namespace schultor::enforce {
namespace {

namespace planner = netfilter::planner;

/// Where a group starts that the kernel does not know. Connections may have outlived a ruleset that was taken away, and
/// must not pass for admitted by chance.
planner::Generation any_generation() {
  planner::Generation generation = 0;
  if (getrandom(&generation, sizeof generation, 0) != sizeof generation) generation = 0;
  return planner::next(generation);
}

}  // namespace

base::Result<Enforcer> Enforcer::open() {
  auto kernel = netfilter::kernel::Connection::open();
  if (!kernel) return base::pass(std::move(kernel));
  if (auto probed = kernel->probe_refresh(); !probed) return base::pass(std::move(probed));
  return Enforcer(std::move(*kernel));
}

base::Result<Enforcer::Applied> Enforcer::apply(const policy::Policy& policy, const std::vector<std::string>& lan_interfaces,
                                                const Moment& wanted, const Numbers& numbers, const ListedNetworks& listed,
                                                bool rules_changed) {
  auto found = kernel_.read(planner::table_name);
  if (!found) return base::pass(std::move(found), "reading the ruleset");
  Applied applied{standing_of(*found, numbers), false};
  const auto generations =
      generations_over(applied.before, policy, lan_interfaces, wanted, numbers, rules_changed, any_generation());
  auto intent = intent_of(policy, lan_interfaces, wanted, numbers, generations, listed);
  const auto plan = planner::reconcile(planner::build(intent), *found);
  if (auto done = kernel_.commit(plan); !done) return base::pass(std::move(done), "committing the ruleset");
  applied.pins_lost = plan.pins_lost;
  in_force_ = standing_of(intent);
  intent_ = std::move(intent);
  return applied;
}

base::Result<void> Enforcer::switch_modes(const ModeSwitch& planned) {
  auto done = kernel_.commit(planner::switch_groups(planned.groups));
  if (!done) return base::pass(std::move(done));
  for (const auto& group : planned.groups) {
    in_force_.groups[group.to.number] = group.to;
    for (auto& known : intent_.groups)
      if (known.number == group.to.number) known = group.to;
  }
  return {};
}

base::Result<void> Enforcer::pin(const std::vector<planner::Pin>& pins) {
  auto done = kernel_.commit(planner::pin(pins));
  if (!done) return base::pass(std::move(done));
  return {};
}

std::string Enforcer::text() const { return netfilter::model::render(planner::build(intent_)); }

}  // namespace schultor::enforce
