// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/enforce/describe.hpp"
#include "daemon/enforce/gateway_impl.hpp"
#include "daemon/enforce/kept_overrides.hpp"
#include "daemon/enforce/override_events.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>

namespace schultor::enforce {
namespace {

using base::Priority;
namespace message_id = base::message_id;

base::Result<void> require_right_clock(const ClockTrust& clock) {
  if (clock.trusted()) return {};
  return base::fail("the clock is not known to be right, so nobody knows when an override would end: see “timedatectl”");
}

}  // namespace

std::chrono::sys_seconds Gateway::Impl::second_now() const { return std::chrono::floor<std::chrono::seconds>(clock->now()); }

policy::Overrides Gateway::Impl::overrides_now(const policy::Policy& policy) const {
  auto overrides = clock_trust.trusted() ? policy::anchored(policy, kept.overrides, second_now()) : kept.overrides;
  // Whatever is kept was set before now, also where the clock was set back since.
  for (auto& one : overrides) one.from = std::min(one.from, second_now());
  return overrides;
}

Moment Gateway::Impl::moment_of(const policy::Policy& policy) const {
  // Groups and profiles may have gone with another configuration; nothing ends by this.
  auto overrides = policy::pruned(policy, overrides_now(policy), {});
  return moment_at(policy, clock->now(), {std::move(overrides), clock_trust.trusted()});
}

std::string Gateway::Impl::load_kept_overrides() {
  auto loaded = load_overrides(overrides_path());
  const std::string damage = loaded ? std::string{} : loaded.error().what();
  if (loaded && *loaded) {
    kept = std::move(**loaded);
    return {};
  }
  if (!damage.empty()) log(Priority::error, message_id::state_damaged, damage);
  // Ids go on above all that may have been given, of which there was no more than one a microsecond (a start follows another within
  // a second): who was told of an event knows it by its id. At the first start of all none was given.
  if (!damage.empty() || std::filesystem::exists(numbers_path())) {
    const auto latest = std::max(clock->now(), build_time());
    kept.last_id = static_cast<std::uint64_t>(std::chrono::floor<std::chrono::microseconds>(latest).time_since_epoch().count());
  }
  if (auto saved = save_overrides(overrides_path(), kept); !saved)
    log(Priority::warning, {}, fmt::format("Overrides cannot be kept: {}", saved.error().what()));
  return damage;
}

void Gateway::Impl::tell(const std::vector<OverrideEvent>& events) {
  for (const auto& event : events) {
    const auto& group = event.about.group ? *event.about.group : "all groups";
    const auto text = event.result == "ending" ? "Override ends soon" : fmt::format("Override {}", event.result);
    log(Priority::notice, event.result == "ending" ? message_id::override_ending : message_id::override_changed,
        fmt::format("{}: {} in {} until {}", text, group, event.about.profile,
                    policy::format_local(*current.policy, event.about.until)),
        {{"SCHULTOR_GROUP", group}, {"SCHULTOR_PROFILE", event.about.profile}, {"SCHULTOR_BY", event.by}});
    raise(event.at, to_json(*current.policy, event));
  }
}

void Gateway::Impl::keep_told(std::string event) {
  kept.told.push_back({second_now(), std::move(event)});
  kept.told = told_with(*current.policy, std::move(kept.told), {}, second_now());
  if (auto saved = save_overrides(overrides_path(), kept); !saved) log(Priority::error, {}, saved.error().what());
}

base::Result<void> Gateway::Impl::change_overrides(policy::Overrides wanted, const std::string& by) {
  const auto events = override_events(kept.overrides, wanted, second_now(), by);
  auto last_id = kept.last_id;
  for (const auto& one : wanted) last_id = std::max(last_id, one.id);
  policy::KeptOverrides next{last_id, std::move(wanted), told_with(*current.policy, kept.told, events, second_now())};
  if (auto saved = save_overrides(overrides_path(), next); !saved) {
    // It may be there all the same, and would hold after the next start.
    if (auto restored = save_overrides(overrides_path(), kept); !restored) log(Priority::error, {}, restored.error().what());
    return base::pass(std::move(saved), "the override cannot be kept, so nothing was changed");
  }
  auto before = std::exchange(kept, std::move(next));
  const auto now = moment_of(*current.policy);
  const auto planned = plan_mode_switch(*current.policy, current.numbers, enforcer.in_force(), now);
  if (auto done = bring_about(planned, now); !done) {
    kept = std::move(before);
    kept.last_id = last_id;
    if (auto restored = save_overrides(overrides_path(), kept); !restored)
      log(Priority::error, {}, fmt::format("{}: what was refused holds after the next start", restored.error().what()));
    return base::pass(std::move(done), "the kernel refused, so nothing was changed");
  }
  tell(events);
  tend_overrides();
  arm_clock();
  tell_changed();
  return {};
}

void Gateway::Impl::tend_overrides() {
  const auto now = second_now();
  const bool trusted = clock_trust.trusted();
  if (trusted) tell_ending(now);
  // Nothing ends by a clock that may be wrong.
  auto left = policy::pruned(*current.policy, kept.overrides, trusted ? now : std::chrono::sys_seconds{});
  if (trusted) left = policy::anchored(*current.policy, std::move(left), now);
  if (left == kept.overrides) return;
  const auto events = override_events(kept.overrides, left, now, "configuration");
  kept.overrides = std::move(left);
  kept.told = told_with(*current.policy, std::move(kept.told), events, now);
  // What has ended stays ended whatever the disk says.
  if (auto saved = save_overrides(overrides_path(), kept); !saved) log(Priority::error, {}, saved.error().what());
  tell(events);
}

void Gateway::Impl::tell_ending(std::chrono::sys_seconds now) {
  std::set<std::string> near_their_end;
  for (const auto& event : ending_events(*current.policy, kept.overrides, now)) {
    if (!told_to_end.contains(event.id)) tell({event});
    near_their_end.insert(event.id);
  }
  told_to_end = std::move(near_their_end);
}

base::Result<std::string> Gateway::set_override(const policy::OverrideRequest& request) {
  auto& my = *impl_;
  if (auto right = require_right_clock(my.clock_trust); !right) return base::pass(std::move(right));
  auto wanted =
      policy::with_override(*my.current.policy, my.overrides_now(*my.current.policy), request, my.kept.last_id, my.second_now());
  if (!wanted) return base::pass(std::move(wanted));
  const auto made = wanted->back();
  if (auto done = my.change_overrides(std::move(*wanted), request.by); !done) return base::pass(std::move(done));
  return enforce::describe(*my.current.policy, made);
}

base::Result<std::string> Gateway::extend_override(const std::optional<std::string>& group, const std::string& span,
                                                   const std::string& by) {
  auto& my = *impl_;
  if (auto right = require_right_clock(my.clock_trust); !right) return base::pass(std::move(right));
  auto wanted =
      policy::extended(*my.current.policy, my.overrides_now(*my.current.policy), group, span, my.kept.last_id, my.second_now());
  if (!wanted) return base::pass(std::move(wanted));
  // It is there, and the last one that is no lift.
  const auto found = std::find_if(wanted->rbegin(), wanted->rend(),
                                  [&](const policy::Override& one) { return one.group == group && !one.profile.empty(); });
  if (found == wanted->rend()) return base::fail("no override holds any more");
  if (found->id > my.kept.last_id) found->by = by;
  const auto extended = *found;
  if (auto done = my.change_overrides(std::move(*wanted), by); !done) return base::pass(std::move(done));
  return enforce::describe(*my.current.policy, extended);
}

base::Result<std::string> Gateway::clear_override(const std::optional<std::string>& group, const std::string& by) {
  auto& my = *impl_;
  const auto standing = my.overrides_now(*my.current.policy);
  auto wanted = policy::cleared(*my.current.policy, standing, group, my.kept.last_id, my.second_now());
  if (!wanted) return base::pass(std::move(wanted));
  const auto count = override_events(standing, *wanted, my.second_now(), by).size();
  if (count > 0)
    if (auto done = my.change_overrides(std::move(*wanted), by); !done) return base::pass(std::move(done));
  return nlohmann::json{{"cleared", count}}.dump();
}

}  // namespace schultor::enforce
