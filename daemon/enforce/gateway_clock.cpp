// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/enforce/gateway_impl.hpp"

namespace schultor::enforce {
namespace {

using base::Priority;
namespace message_id = base::message_id;

/// While nobody vouches for the clock.
constexpr std::chrono::seconds look_again{2};
/// While the clock is right: to write down how late it is.
constexpr std::chrono::hours write_again{1};
/// Not while a commit is answered.
constexpr std::chrono::seconds after_commit{1};

}  // namespace

void Gateway::Impl::tell_clock() {
  if (clock_trust.trusted()) log(Priority::notice, message_id::clock_trusted, "The clock is right: what the schedules say holds");
  else log(Priority::warning, message_id::clock_untrusted, "The clock is not known to be right: what is configured for that holds");
  const auto now = clock->now();
  raise(now, clock_event(*current.policy, now, clock_trust.trusted()));
}

void Gateway::Impl::watch_clock() {
  if (!clock_trust.trusted()) return watch_clock_after(look_again);
  if (auto kept_instant = clock_trust.remember(clock->now(), clock->synchronised()); !kept_instant)
    log(Priority::warning, {}, kept_instant.error().what());
  watch_clock_after(write_again);
}

void Gateway::Impl::remember_clock_soon() {
  if (clock_trust.trusted()) watch_clock_after(after_commit);
}

void Gateway::Impl::watch_clock_after(std::chrono::microseconds delay) {
  auto source = loop.after(delay, [this] {
    if (clock_trust.judge(clock->now(), clock->synchronised()) != clock_trust.trusted()) on_time();
    else watch_clock();
  });
  if (source) clock_watch = std::move(*source);
  else log(Priority::error, {}, source.error().what());
}

}  // namespace schultor::enforce
