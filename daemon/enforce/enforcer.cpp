// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/enforcer.hpp"

#include "netfilter/planner/belt.hpp"
#include "netfilter/planner/build.hpp"
#include "netfilter/planner/differences.hpp"
#include "netfilter/planner/limits.hpp"
#include "netfilter/planner/reconcile.hpp"
#include "netfilter/planner/switch.hpp"

#include <sys/random.h>

#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <variant>

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

bool makes_cloud_pins(const planner::Plan& plan) {
  return std::any_of(plan.operations.begin(), plan.operations.end(), [](const auto& operation) {
    const auto* add = std::get_if<planner::operation::AddSet>(&operation);
    return add != nullptr && (add->set == planner::declaration::pins("", base::Family::ipv4) ||
                              add->set == planner::declaration::pins("", base::Family::ipv6));
  });
}

/// Whether rules, closed networks or closed ports become others than those which the kernel has judged by until now: what it has
/// admitted may have to end. Groups and who belongs to them are generations_over()'s to compare.
bool judges_otherwise(const planner::Plan& plan) {
  using netfilter::model::Maps;
  using netfilter::model::Type;
  return std::any_of(plan.operations.begin(), plan.operations.end(), [](const auto& operation) {
    if (const auto* add = std::get_if<planner::operation::AddElements>(&operation))
      return add->set.maps == Maps::nothing && add->set.key.front() != Type::mark && add->set.key.front() != Type::ifname;
    return std::holds_alternative<planner::operation::FlushChain>(operation) ||
           std::holds_alternative<planner::operation::AddRule>(operation);
  });
}

/// Why the kernel cannot offload; empty: it can. Nothing that must work needs it, so that it is no error.
std::string find_offload_fault(netfilter::kernel::Connection& kernel) {
  const auto has_flowtables = kernel.probe_flowtables();
  if (!has_flowtables) return has_flowtables.error().what();
  return *has_flowtables ? "" : "the kernel has no flowtables";
}

/// The base chain of what is forwarded, without its rules: it drops.
std::vector<netfilter::model::Chain> forward_chain_of(const netfilter::model::Ruleset& ruleset) {
  std::vector<netfilter::model::Chain> chains;
  for (const auto& chain : ruleset.chains)
    if (chain.hook && chain.hook->point == netfilter::model::Hook::Point::forward && chain.hook->drops)
      chains.push_back({chain.name, chain.hook, {}});
  return chains;
}

}  // namespace

base::Result<Enforcer> Enforcer::open() {
  auto kernel = netfilter::kernel::Connection::open();
  if (!kernel) return base::pass(std::move(kernel));
  if (auto probed = kernel->probe_refresh(); !probed) return base::pass(std::move(probed));
  auto watch = netfilter::kernel::Watch::open(std::string(planner::table_name), kernel->port());
  if (!watch) return base::pass(std::move(watch));
  auto offload_fault = find_offload_fault(*kernel);
  return Enforcer(std::move(*kernel), std::move(*watch), std::move(offload_fault));
}

base::Result<Enforcer::Applied> Enforcer::apply(const policy::Policy& policy, const std::vector<std::string>& lan_interfaces,
                                                const Moment& wanted, const Numbers& numbers, const ListedNetworks& listed,
                                                bool rules_changed, const CloudPins& cloud_pins) {
  auto found = kernel_.read(planner::table_name);
  if (!found) return base::pass(std::move(found), "reading the ruleset");
  Applied applied{standing_of(*found, numbers)};
  auto offload = offload_now(policy.network, lan_interfaces, offload_fault_);
  const auto intent_over = [&](bool anew) {
    const auto generations = generations_over(applied.before, policy, lan_interfaces, wanted, numbers, anew, any_generation());
    auto intent = intent_of(policy, lan_interfaces, wanted, numbers, generations, listed);
    intent.offloaded = offload.interfaces;
    return intent;
  };
  auto intent = intent_over(rules_changed);
  // At a start after the configuration was changed, or after a stranger's hand: nobody else knows that the rules were others.
  if (!rules_changed && judges_otherwise(planner::reconcile(planner::build(intent), *found))) intent = intent_over(true);
  auto done = commit(intent, *found, cloud_pins, applied);
  if (!done && !intent.offloaded.empty()) {
    // An interface that went in this moment, or that is none for it: everything else is to hold.
    intent.offloaded.clear();
    auto without = commit(std::move(intent), *found, cloud_pins, applied);
    if (without) applied.offload_refused = done.error();
    offload = no_offload("the kernel refused it");
    done = std::move(without);
  }
  if (!done) return base::pass(std::move(done), "committing the ruleset");
  offload_ = std::move(offload);
  wear_belt(applied);
  return applied;
}

void Enforcer::wear_belt(Applied& applied) {
  std::pair wanted(intent_.lan_interfaces, intent_.masqueraded);
  if (belt_ == wanted) return;
  if (auto done = kernel_.commit(planner::belt(wanted.first, wanted.second)); !done) applied.belt_refused = done.error();
  // Refused is refused: a kernel that is too old stays so.
  belt_ = std::move(wanted);
}

base::Result<void> Enforcer::commit(planner::Intent intent, const netfilter::model::Found& found, const CloudPins& cloud_pins,
                                    Applied& applied) {
  auto ruleset = planner::build(intent);
  const auto plan = planner::reconcile(ruleset, found);
  if (const auto pins = makes_cloud_pins(plan) ? cloud_pins() : std::vector<planner::Pin>{}; !pins.empty()) {
    // In the same transaction as the rules: no tablet finds the cloud closed.
    planner::begin_with(ruleset, pins);
    const auto done = kernel_.commit(planner::reconcile(ruleset, found));
    applied.pins_restored = done ? pins.size() : 0;
    applied.pins_refused = done ? std::nullopt : std::optional(done.error());
  }
  if (applied.pins_restored == 0)
    if (auto done = kernel_.commit(plan); !done) return base::pass(std::move(done));
  applied.pins_lost = plan.pins_lost;
  in_force_ = standing_of(intent);
  intent_ = std::move(intent);
  return {};
}

base::Result<bool> Enforcer::is_in_force() {
  auto found = kernel_.read(planner::table_name);
  if (!found) return base::pass(std::move(found), "reading the ruleset");
  return (found->flags & NFT_TABLE_F_DORMANT) == 0 && !standing_of(*found, {}).groups.empty();
}

base::Result<void> Enforcer::forward_nothing() {
  auto found = kernel_.read(planner::table_name);
  if (!found) return base::pass(std::move(found), "reading the ruleset");
  // No sets: whoever makes them begins with the cloud's pins.
  netfilter::model::Ruleset closed{std::string(planner::table_name)};
  closed.chains = forward_chain_of(planner::build({}));
  if (auto done = kernel_.commit(planner::reconcile(closed, *found)); !done)
    return base::pass(std::move(done), "committing the ruleset");
  return {};
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
  auto done = watch_.commit(kernel_, planner::pin(pins), pins.size());
  if (!done) return base::pass(std::move(done));
  return {};
}

base::Result<void> Enforcer::crowd(std::chrono::milliseconds lifetime) {
  const auto plan = planner::crowd(intent_.lan_interfaces, lifetime);
  if (auto done = kernel_.commit(plan); !done) return base::pass(std::move(done));
  return {};
}

bool Enforcer::takes_pins(const netfilter::kernel::ForeignChange& change) const {
  if (!change.taken_from) return true;
  const auto ruleset = planner::build(intent_);
  return std::any_of(ruleset.sets.begin(), ruleset.sets.end(), [&](const auto& set) {
    return set.declaration.keeps_for_a_time() && change.taken_from->contains(set.declaration.name);
  });
}

base::Result<std::vector<std::string>> Enforcer::differences() {
  const auto found = kernel_.read(planner::table_name);
  if (!found) return base::Result<std::vector<std::string>>(tl::unexpected<base::Error>(found.error()));
  auto wanted = planner::build(intent_);
  leave_out_gone_devices(wanted, *found);
  return planner::differences(wanted, *found);
}

base::Result<std::vector<netfilter::kernel::CounterValue>> Enforcer::counters() {
  return kernel_.read_counters(planner::table_name);
}

std::string Enforcer::text() const { return netfilter::model::render(planner::build(intent_)); }

}  // namespace schultor::enforce
