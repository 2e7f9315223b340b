// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/gateway.hpp"

#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/enforce/describe.hpp"
#include "daemon/enforce/gate_switches.hpp"
#include "daemon/enforce/gateway_impl.hpp"
#include "daemon/enforce/override_events.hpp"

#include <grp.h>

#include <algorithm>

namespace schultor::enforce {
namespace {

using base::Priority;
namespace message_id = base::message_id;

/// After a commit that the kernel refused. Enforcement stands as it was meanwhile.
constexpr std::chrono::seconds retry_delay{1};

/// `who`: whose group it is.
std::optional<gid_t> find_group(const std::string& name, std::string_view who) {
  if (const auto* entry = getgrnam(name.c_str())) return entry->gr_gid;
  log(Priority::warning, {}, fmt::format("There is no group {} on this system: only schultord's own user can be {}", name, who));
  return std::nullopt;
}

}  // namespace

base::Result<void> Gateway::Impl::apply(const Configuration& wanted, Occasion occasion) {
  const auto now = moment_of(*wanted.policy);
  const bool rules_changed = occasion == Occasion::reload && wanted.gate_rules_json != current.gate_rules_json;
  const auto in_force = enforcer.in_force();
  auto outcome = enforcer.apply(*wanted.policy, wanted.lan_interfaces, now, wanted.numbers, wanted.lists.networks, rules_changed,
                                [&] { return pins_of_before(wanted.gate_rules); });
  if (!outcome) return base::pass(std::move(outcome));
  switch_refused.reset();
  repair_refused.reset();
  if (outcome->pins_refused)
    log(Priority::warning, message_id::kernel_refused,
        fmt::format("The kernel refused the cloud's pins that were kept: {}", outcome->pins_refused->what()));
  if (outcome->offload_refused)
    log(Priority::warning, message_id::kernel_refused,
        fmt::format("The kernel refused to offload connections to the cloud, each packet passes the rules: {}",
                    outcome->offload_refused->what()));
  if (outcome->belt_refused)
    log(Priority::warning, message_id::kernel_refused,
        fmt::format("The kernel refused to hold tablets back while the ruleset is taken away: {}", outcome->belt_refused->what()));
  if (outcome->pins_restored != 0)
    log(Priority::notice, {}, fmt::format("{} addresses of the cloud are open as they were before", outcome->pins_restored));
  if (occasion != Occasion::repair) {
    current = wanted;
    devices.configure(current.policy, current.lan_interfaces);
    log(Priority::notice, message_id::configuration_applied,
        fmt::format("Configuration applied: revision {}, {} groups, {} devices", current.policy->revision,
                    current.policy->groups.size(), current.policy->devices.size()));
    if (current.policy->network.management.empty())
      log(Priority::notice, {},
          "No [management] in gateway.toml: this machine takes no new connections but from its own console and what tablets need");
  }
  announcement.rules_epoch += rules_changed ? 1 : 0;
  announcement.pins_epoch += outcome->pins_lost ? 1 : 0;
  const auto& before = occasion == Occasion::repair ? in_force : outcome->before;
  committed(now, changes_over(before, *current.policy, now, current.numbers, occasion));
  if (gate && (rules_changed || outcome->pins_lost)) announce_rules();
  if (occasion != Occasion::repair) announce_cache_rules();
  return {};
}

void Gateway::Impl::announce_rules() { gate->announce({current.gate_rules_json, announcement, current.lists.table}); }

base::Result<void> Gateway::Impl::switch_modes(const ModeSwitch& planned, const Moment& now) {
  if (auto done = enforcer.switch_modes(planned); !done) {
    log(Priority::error, message_id::kernel_refused,
        fmt::format("The kernel refused a mode switch: {}; reading the ruleset back", done.error().what()));
    return apply(current, Occasion::repair);
  }
  committed(now, planned.changes);
  return {};
}

void Gateway::Impl::committed(const Moment& now, std::vector<ModeChange> changes) {
  tell_apart(changes, now.at, told_modes);
  moment = now;
  update_status(changes);
  applied = clock->now();
  remember_clock_soon();
  for (const auto& change : changes) {
    log(Priority::notice, message_id::mode_changed,
        fmt::format("{} is in {} now ({})", change.group, change.holding.profile, change.holding.text),
        {{"SCHULTOR_GROUP", change.group}, {"SCHULTOR_PROFILE", change.holding.profile}, {"SCHULTOR_PREVIOUS", change.previous}});
    raise(change.at, mode_event(*current.policy, change));
  }
  tell_changed();
}

void Gateway::Impl::on_time() {
  const bool verdict_changed = clock_trust.examine(clock->now(), clock->synchronised());
  if (verdict_changed) tell_clock();
  const auto now = moment_of(*current.policy);
  auto planned = plan_mode_switch(*current.policy, current.numbers, enforcer.in_force(), now);
  // What the right clock says has held since long ago holds from now on.
  if (verdict_changed)
    for (auto& change : planned.changes) change.at = now.at;
  if (auto done = bring_about(planned, now); !done) {
    log(Priority::error, message_id::kernel_refused,
        fmt::format("What holds now is not in the kernel: {}; trying again in {} s", done.error().what(), retry_delay.count()));
    note_trouble(switch_refused, done.error().what());
    auto source = loop.after(retry_delay, [this] { on_time(); });
    if (source) retry = std::move(*source);
    return;
  }
  retry.reset();
  end_trouble(switch_refused);
  tend_overrides();
  arm_clock();
  watch_clock();
}

base::Result<void> Gateway::Impl::bring_about(const ModeSwitch& planned, const Moment& now) {
  if (!planned.empty()) return switch_modes(planned, now);
  // The same profiles, perhaps for another reason.
  moment = now;
  update_status({});
  tell_changed();
  return {};
}

void Gateway::Impl::tell_switches() {
  if (gate)
    gate->tell_switches(switches_of(*current.policy, current.numbers, moment, clock->now(), std::chrono::steady_clock::now()));
}

void Gateway::Impl::arm_clock() {
  tell_switches();
  std::optional<base::Instant> due;
  for (const auto next : {moment.next, next_of(kept.overrides, second_now())})
    if (next && (!due || *next < *due)) due = *next;
  if (auto armed = clock->arm(due); !armed)
    log(Priority::error, {}, fmt::format("No mode switch will happen by itself: {}", armed.error().what()));
}

base::Result<void> Gateway::Impl::pin(const std::vector<dns::PinEntry>& entries) {
  std::vector<netfilter::planner::Pin> pins;
  for (const auto& entry : entries) {
    auto meant = pins_of(current.gate_rules, entry.address, entry.doors, entry.lifetime);
    if (!meant) return base::pass(std::move(meant), "the DNS gate's request");
    pins.insert(pins.end(), meant->begin(), meant->end());
  }
  if (std::any_of(pins.begin(), pins.end(), [](const auto& pin) { return pin.profile.empty(); })) keep_pins_soon();
  const auto pinned = enforcer.pin(pins);
  if (pinned && !enforcer.others_changed()) return {};
  // Somebody took the table away, or parts of it: put it right, and tell who it was; then try once more.
  on_ruleset_changed();
  if (pinned) return {};
  if (auto repaired = apply(current, Occasion::repair); !repaired) return repaired;
  auto done = enforcer.pin(pins);
  if (!done)
    log(Priority::error, message_id::kernel_refused, fmt::format("The kernel refused to open addresses: {}", done.error().what()));
  return done;
}

void Gateway::Impl::raise(base::Instant at, const std::string& event) {
  event_log.add(at, event);
  observer.event(event);
}

void Gateway::Impl::tell_changed() { observer.changed(status_line()); }

std::string Gateway::Impl::status_line() const {
  const auto line = enforce::status_line(*current.policy, status, refused.has_value());
  return trouble() ? "the kernel does not take the ruleset, see schultorctl status; " + line : line;
}

/// Once for each change: whoever asks is answered from it, however many groups and devices there are.
void Gateway::Impl::update_status(const std::vector<ModeChange>& changes) {
  status = status_after(status, *current.policy, current.devices, moment, changes);
}

Gateway::Gateway(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Gateway::~Gateway() { impl_->keep_pins_now(); }

base::Result<std::unique_ptr<Gateway>> Gateway::start(base::EventLoop& loop, const GatewayOptions& options,
                                                      GatewayObserver observer) {
  auto enforcer = Enforcer::open();
  if (!enforcer) return base::pass(std::move(enforcer));
  std::unique_ptr<Impl> impl(
      new Impl{loop, options, std::move(observer), std::move(*enforcer), ClockTrust(options.state_directory + "/clock")});
  auto clock = base::WallClock::create(loop, [gateway = impl.get()] { gateway->on_time(); });
  if (!clock) return base::pass(std::move(clock));
  impl->clock.emplace(std::move(*clock));
  // The gate may remember a predecessor's epochs: these differ from them.
  const auto epoch = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  impl->announcement = {epoch, epoch};
  // Before the first commit: nothing that others change is missed.
  impl->load_counters();
  impl->look_at_counters();
  if (auto watching = impl->watch_ruleset(); !watching) return base::pass(std::move(watching));
  if (auto applied = impl->first_apply(); !applied) return base::pass(std::move(applied));
  impl->arm_clock();

  auto sockets = open_dns_sockets();
  if (!sockets) return base::pass(std::move(sockets));
  auto gate = GateLink::listen(loop, options.runtime_directory + "/gate.sock", find_group(options.gate_group, "the DNS gate"),
                               std::move(*sockets),
                               {[gateway = impl.get()](const auto& entries) { return gateway->pin(entries); },
                                [gateway = impl.get()] { gateway->on_gate_changed(); }});
  if (!gate) return base::pass(std::move(gate));
  impl->gate = std::move(*gate);
  auto cache =
      CacheLink::listen(loop, options.runtime_directory + "/cache.sock", find_group(options.cache_group, "the content cache"),
                        [gateway = impl.get()] { gateway->on_cache_changed(); });
  if (!cache) return base::pass(std::move(cache));
  impl->cache = std::move(*cache);
  impl->announce_rules();
  impl->tell_switches();
  impl->announce_cache_rules();
  impl->watch_kernel();
  log(Priority::notice, message_id::gateway_ready, "What holds now is in the kernel");
  return std::unique_ptr<Gateway>(new Gateway(std::move(impl)));
}

base::Result<void> Gateway::reload() { return impl_->reload(); }

const GatewayStatus& Gateway::status() const { return impl_->status; }

std::string Gateway::describe() const {
  impl_->look_at_counters();
  const auto second = [](base::Instant at) { return std::chrono::floor<std::chrono::seconds>(at); };
  return enforce::describe(*impl_->current.policy, status(),
                           {second(impl_->clock->now()),
                            second(impl_->applied),
                            impl_->gate->connected(),
                            impl_->gate->resolver_answers(),
                            impl_->clock_trust.trusted(),
                            impl_->clock->synchronised(),
                            impl_->kept.overrides,
                            !policy::named_lists(impl_->current.gate_rules).empty(),
                            impl_->current.lists_fault,
                            second(impl_->current.lists.compiled),
                            impl_->refused,
                            impl_->list_status.lists,
                            impl_->question_log,
                            impl_->devices.online(),
                            impl_->enforcer.offload(),
                            {impl_->settings_wrong, impl_->connections, impl_->counter_sums.sums(), impl_->trouble()},
                            impl_->cache_health()});
}

void Gateway::gate_statistics(std::function<void(const std::string& json)> answer) const {
  impl_->gate->ask_statistics([my = impl_.get(), answer = std::move(answer)](const std::optional<ToldStatistics>& told) {
    answer(to_json(*my->current.policy, my->current.numbers, my->gate->connected(), told,
                   {my->clock->now(), std::chrono::steady_clock::now()}));
  });
}

std::vector<std::string> Gateway::unwell_origins() const {
  std::vector<std::string> names;
  for (auto& one : enforce::unwell_origins(*impl_->current.policy, impl_->cache_health())) names.push_back(std::move(one.name));
  return names;
}

base::Result<std::string> Gateway::devices() const { return impl_->devices.devices_json(); }
std::string Gateway::ruleset() const { return impl_->enforcer.text(); }
std::vector<std::string> Gateway::events() const { return impl_->event_log.all(); }
std::string Gateway::status_line() const { return impl_->status_line(); }

}  // namespace schultor::enforce
