// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/realtime_timer.hpp"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <utility>

namespace schultor::base {

Result<RealtimeTimer> RealtimeTimer::create(EventLoop& loop, std::function<void(bool)> fired) {
  RealtimeTimer timer;
  timer.fd_.reset(timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer.fd_) return fail_errno(errno, "creating a timer");
  auto source = loop.watch(timer.fd_.get(), EPOLLIN, [fd = timer.fd_.get(), fired = std::move(fired)](std::uint32_t) {
    std::uint64_t expirations = 0;
    const bool expired = read(fd, &expirations, sizeof expirations) == sizeof expirations;
    if (!expired && errno != ECANCELED) return;
    fired(!expired);
  });
  if (!source) return pass(std::move(source));
  timer.source_ = std::move(*source);
  return timer;
}

Result<void> RealtimeTimer::arm(std::optional<std::chrono::microseconds> due) {
  itimerspec when{};
  // A disarmed timer does not notice a set clock: without a due time it waits for the end of time.
  const auto microseconds =
      due ? std::max<std::int64_t>(due->count(), 1) : std::numeric_limits<std::int32_t>::max() * std::int64_t{1'000'000};
  when.it_value.tv_sec = microseconds / 1'000'000;
  when.it_value.tv_nsec = microseconds % 1'000'000 * 1000;
  while (timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, nullptr) != 0) {
    // ECANCELED: the clock was set since the last look; the timer is armed all the same, and the caller computes now.
    if (errno != ECANCELED) return fail_errno(errno, "arming the timer");
  }
  return {};
}

}  // namespace schultor::base
