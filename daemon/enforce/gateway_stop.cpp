// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/enforce/gateway_impl.hpp"
#include "daemon/policy/extremes.hpp"

namespace schultor::enforce {
namespace {

/// Every group in `widest`, but for those that an override holds to something stricter: an examination goes on.
Moment opened(const policy::Policy& policy, const Moment& held, const std::string& widest) {
  auto open =
      moment_of(policy, held.at, "open while schultord is stopped for service", [&](const policy::Group&) { return widest; });
  for (std::size_t i = 0; i < open.spans.size(); ++i) {
    const auto& now = held.spans[i].holding;
    if (now.because == policy::Because::override && policy::stricter(policy, now.profile, widest) == now.profile)
      open.spans[i] = held.spans[i];
  }
  return open;
}

}  // namespace

bool Gateway::Impl::stop_for_service() {
  const auto& policy = *current.policy;
  const auto* widest = policy::widest_profile(policy);
  if (!policy.opens_on_stop || widest == nullptr) return false;
  const auto open = opened(policy, moment_of(policy), widest->name);
  const auto planned = plan_mode_switch(policy, current.numbers, enforcer.in_force(), open);
  if (auto done = enforcer.switch_modes(planned); !done) {
    log(base::Priority::error, base::message_id::kernel_refused,
        fmt::format("The kernel refused what [service] on_stop says; what holds goes on being held: {}", done.error().what()));
    return false;
  }
  const auto text = fmt::format(
      "schultord is stopped for service: every group is in {} until it is started, by [service] on_stop, but for "
      "those that an override holds to something stricter",
      widest->name);
  log(base::Priority::warning, base::message_id::opened_for_service, text);
  // Nobody may be there to hear it: the next start tells it again.
  auto event = fault_event(policy, open.at, "service", text);
  keep_told(event);
  raise(open.at, event);
  // No event for each group: at the next start each of them is where it was told to be.
  moment = open;
  update_status(planned.changes);
  tell_changed();
  return true;
}

bool Gateway::stop_for_service() { return impl_->stop_for_service(); }

}  // namespace schultor::enforce
