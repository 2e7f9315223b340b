// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/enforce/gateway_impl.hpp"
#include "daemon/policy/extremes.hpp"

namespace schultor::enforce {

void Gateway::Impl::stop_for_service() {
  const auto& policy = *current.policy;
  const auto* widest = policy::widest_profile(policy);
  if (!policy.opens_on_stop || widest == nullptr) return;
  const auto now = clock->now();
  const auto open = enforce::moment_of(policy, now, "open while schultord is stopped for service",
                                       [&](const policy::Group&) { return widest->name; });
  if (auto done = enforcer.switch_modes(plan_mode_switch(policy, current.numbers, enforcer.in_force(), open)); !done)
    return log(
        base::Priority::error, base::message_id::kernel_refused,
        fmt::format("The kernel refused what [service] on_stop says; what holds goes on being held: {}", done.error().what()));
  const auto text =
      fmt::format("schultord is stopped for service: every group is in {} until it is started, by [service] on_stop", widest->name);
  log(base::Priority::warning, base::message_id::opened_for_service, text);
  raise(now, fault_event(policy, now, "service", text));
}

void Gateway::stop_for_service() { impl_->stop_for_service(); }

}  // namespace schultor::enforce
