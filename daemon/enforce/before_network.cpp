// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/before_network.hpp"

#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/base/wall_clock.hpp"
#include "daemon/enforce/clock_trust.hpp"
#include "daemon/enforce/configuration.hpp"
#include "daemon/enforce/enforcer.hpp"
#include "daemon/enforce/pin_keeper.hpp"
#include "daemon/enforce/state_file.hpp"
#include "daemon/policy/extremes.hpp"

#include <filesystem>

namespace schultor::enforce {
namespace {

using base::Priority;
namespace message_id = base::message_id;

/// What the clock says, and whether it is believed.
struct TimeOfDay {
  base::Instant now;
  bool trusted = false;
};

base::Result<TimeOfDay> time_of_day(base::EventLoop& loop, const std::string& state_directory) {
  auto clock = base::WallClock::create(loop, [] {});
  if (!clock) return base::pass(std::move(clock));
  const auto now = clock->now();
  return TimeOfDay{now, ClockTrust(state_directory + "/clock").judge(now, clock->synchronised())};
}

/// Those that are kept, ended or not. A damaged file is the daemon's to move aside and to tell of.
policy::Overrides overrides_kept(const std::string& path, const policy::Policy& policy) {
  const auto text = read_state(path);
  if (!text || !*text) return {};
  const auto kept = policy::overrides_from_json(**text);
  return kept ? policy::pruned(policy, kept->overrides, {}) : policy::Overrides{};
}

std::vector<netfilter::planner::Pin> pins_kept(const std::string& path, const policy::GateRules& rules, const TimeOfDay& time) {
  const auto loaded = load_kept_pins(path);
  if (!loaded) log(Priority::warning, message_id::state_damaged, loaded.error().what());
  if (!loaded || !*loaded) return {};
  return pins_left(**loaded, rules, time.now, time.trusted);
}

/// With its own table of lists; where that is gone without, since the cloud is open and all else is judged.
Attempt applied_last(const std::string& state_directory) {
  const Sources sources{state_directory + "/applied", state_directory + "/numbers.json", state_directory + "/applied.table"};
  auto attempt = attempt_configuration(sources, std::nullopt, Lists::needed, std::nullopt);
  return attempt.wanted ? attempt : attempt_configuration(sources, std::nullopt, Lists::spared, std::nullopt);
}

base::Result<void> hold(Enforcer& enforcer, const Configuration& wanted, const std::string& state_directory,
                        const TimeOfDay& time) {
  const auto& policy = *wanted.policy;
  const auto overrides = overrides_kept(state_directory + "/overrides.json", policy);
  const auto moment = moment_of(policy, time.now, "the strictest, until schultord is there",
                                [&](const policy::Group& group) { return policy::strictest_profile(policy, group, overrides); });
  auto applied = enforcer.apply(policy, wanted.lan_interfaces, moment, wanted.numbers, wanted.lists.networks, false,
                                [&] { return pins_kept(state_directory + "/cloud_pins", wanted.gate_rules, time); });
  if (!applied) return base::pass(std::move(applied));
  if (applied->pins_refused)
    log(Priority::warning, message_id::kernel_refused,
        fmt::format("The kernel refused the cloud's pins that were kept: {}", applied->pins_refused->what()));
  log(Priority::notice, message_id::held_before_network,
      fmt::format("Each of {} groups has its strictest profile until schultord is there; {} addresses of the cloud are open",
                  policy.groups.size(), applied->pins_restored));
  return {};
}

base::Result<void> hold_by_what_was_applied(base::EventLoop& loop, Enforcer& enforcer, const std::string& state_directory) {
  auto time = time_of_day(loop, state_directory);
  if (!time) return base::pass(std::move(time));
  const auto attempt = applied_last(state_directory);
  if (!attempt.wanted)
    return base::fail("the configuration that was applied last is of no use: {}", fmt::join(attempt.errors, "\n"));
  return hold(enforcer, *attempt.wanted, state_directory, *time);
}

}  // namespace

base::Result<void> hold_before_network(base::EventLoop& loop, const std::string& state_directory) {
  auto enforcer = Enforcer::open();
  if (!enforcer) return base::pass(std::move(enforcer));
  auto in_force = enforcer->is_in_force();
  if (!in_force) return base::pass(std::move(in_force));
  if (*in_force) {
    log(Priority::notice, message_id::held_before_network, "A ruleset is in force already and stays");
    return {};
  }
  if (!std::filesystem::exists(state_directory + "/applied")) {
    log(Priority::notice, message_id::held_before_network, "No configuration was ever applied: nothing is forwarded until one is");
    return enforcer->forward_nothing();
  }
  auto held = hold_by_what_was_applied(loop, *enforcer, state_directory);
  if (held) return held;
  if (auto closed = enforcer->forward_nothing(); !closed) return closed;
  return base::pass(std::move(held), "nothing is forwarded until schultord is there");
}

}  // namespace schultor::enforce
