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

namespace schultor::enforce {
namespace {

using base::Priority;
namespace message_id = base::message_id;

/// While nobody vouches for the clock.
constexpr std::chrono::seconds look_again{2};
/// Else: now and then the latest right instant is kept.
constexpr std::chrono::minutes look_now_and_then{10};

policy::KeptOverrides kept_of(policy::Overrides overrides, std::uint64_t last_id) {
  for (const auto& one : overrides) last_id = std::max(last_id, one.id);
  return {last_id, std::move(overrides)};
}

}  // namespace

std::chrono::sys_seconds Gateway::Impl::second_now() const { return std::chrono::floor<std::chrono::seconds>(clock->now()); }

Moment Gateway::Impl::moment_of(const policy::Policy& policy) const {
  return moment_at(policy, clock->now(), {kept.overrides, clock_trust.trusted()});
}

void Gateway::Impl::load_kept_overrides() {
  auto loaded = load_overrides(overrides_path());
  if (loaded) kept = std::move(*loaded);
  else log(Priority::error, message_id::state_damaged, loaded.error().what());
}

void Gateway::Impl::tell_overrides(const policy::Overrides& before, const std::string& by) {
  for (const auto& event : override_events(*current.policy, before, kept.overrides, second_now(), by)) {
    const auto told = nlohmann::json::parse(event);
    const auto group = told["group"].is_null() ? std::string("all groups") : told["group"].get<std::string>();
    const auto profile = told["profile"].get<std::string>();
    log(Priority::notice, message_id::override_changed,
        fmt::format("Override {}: {}, {} until {}", told["result"].get<std::string>(), group, profile, told["until"].get<std::string>()),
        {{"SCHULTOR_GROUP", group}, {"SCHULTOR_PROFILE", profile}});
    raise(event);
  }
}

base::Result<void> Gateway::Impl::change_overrides(policy::KeptOverrides wanted, const std::string& by) {
  if (auto saved = save_overrides(overrides_path(), wanted); !saved)
    return base::pass(std::move(saved), "the override cannot be kept, so nothing was changed");
  const auto before = std::exchange(kept, std::move(wanted));
  const auto now = moment_of(*current.policy);
  const auto planned = plan_mode_switch(*current.policy, current.numbers, enforcer.in_force(), now);
  if (!planned.empty()) {
    if (auto done = switch_modes(planned, now); !done) {
      kept.overrides = before.overrides;
      if (auto restored = save_overrides(overrides_path(), kept); !restored)
        log(Priority::error, message_id::state_damaged, restored.error().what());
      return base::pass(std::move(done), "the kernel refused, so nothing was changed");
    }
  } else {
    moment = now;
    update_status();
  }
  tell_overrides(before.overrides, by);
  tend_overrides();
  arm_clock();
  tell_changed();
  return {};
}

void Gateway::Impl::tend_overrides() {
  // Nothing ends by a clock that may be wrong.
  if (!clock_trust.trusted()) return;
  const auto now = second_now();
  for (const auto& event : ending_events(*current.policy, kept.overrides, now)) {
    const auto id = nlohmann::json::parse(event)["id"].get<std::string>();
    if (!told_to_end.insert(id).second) continue;
    log(Priority::notice, message_id::override_ending, "An override ends in five minutes");
    raise(event);
  }
  auto left = policy::pruned(*current.policy, kept.overrides, now);
  if (left == kept.overrides) return;
  const auto before = std::exchange(kept.overrides, std::move(left));
  // What has ended stays ended whatever the disk says.
  if (auto saved = save_overrides(overrides_path(), kept); !saved) log(Priority::error, {}, saved.error().what());
  tell_overrides(before, {});
  if (kept.overrides.empty()) told_to_end.clear();
}

void Gateway::Impl::examine_clock() {
  const bool synchronised = clock->synchronised();
  if (clock_trust.trusted()) {
    if (auto kept_instant = clock_trust.remember(clock->now(), synchronised); !kept_instant)
      log(Priority::warning, {}, kept_instant.error().what());
  } else if (!clock_check) {
    log(Priority::warning, message_id::clock_untrusted, "The clock is not known to be right: what is configured for that holds");
  }
  const std::chrono::microseconds delay = clock_trust.trusted() ? std::chrono::microseconds(look_now_and_then) : look_again;
  auto source = loop.after(delay, [this] {
    if (clock_trust.trusted()) examine_clock();
    else if (clock->synchronised()) on_time();
    else examine_clock();
  });
  if (source) clock_check = std::move(*source);
}

base::Result<std::string> Gateway::set_override(const policy::OverrideRequest& request) {
  auto& my = *impl_;
  auto wanted = policy::with_override(*my.current.policy, my.kept.overrides, request, my.kept.last_id, my.second_now());
  if (!wanted) return base::pass(std::move(wanted));
  const auto made = wanted->back();
  if (auto done = my.change_overrides(kept_of(std::move(*wanted), my.kept.last_id), request.by); !done) return base::pass(std::move(done));
  return enforce::describe(*my.current.policy, made);
}

base::Result<std::string> Gateway::extend_override(const std::optional<std::string>& group, const std::string& span,
                                                   const std::string& by) {
  auto& my = *impl_;
  auto wanted = policy::extended(*my.current.policy, my.kept.overrides, group, span, my.kept.last_id, my.second_now());
  if (!wanted) return base::pass(std::move(wanted));
  const auto made = std::find_if(wanted->rbegin(), wanted->rend(), [&](const policy::Override& one) {
    return one.group == group && !one.profile.empty();
  });
  const auto extended = made == wanted->rend() ? policy::Override{} : *made;
  if (auto done = my.change_overrides(kept_of(std::move(*wanted), my.kept.last_id), by); !done) return base::pass(std::move(done));
  return enforce::describe(*my.current.policy, extended);
}

base::Result<std::string> Gateway::clear_override(const std::optional<std::string>& group, const std::string& by) {
  auto& my = *impl_;
  const auto held = [&](const policy::Overrides& overrides) {
    return std::count_if(overrides.begin(), overrides.end(), [&](const policy::Override& one) {
      return !one.profile.empty() && (!group || !one.group || *one.group == *group);
    });
  };
  const auto now = my.second_now();
  auto wanted = policy::cleared(*my.current.policy, my.kept.overrides, group, my.kept.last_id, now);
  if (!wanted) return base::pass(std::move(wanted));
  const bool did_hold = group ? policy::override_at(my.kept.overrides, *group, now) != nullptr : !my.kept.overrides.empty();
  const auto count = did_hold ? held(my.kept.overrides) : 0;
  if (!did_hold) return nlohmann::json{{"cleared", 0}}.dump();
  if (auto done = my.change_overrides(kept_of(std::move(*wanted), my.kept.last_id), by); !done) return base::pass(std::move(done));
  return nlohmann::json{{"cleared", count}}.dump();
}

}  // namespace schultor::enforce
