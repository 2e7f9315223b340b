// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/wall_clock.hpp"

#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/base/realtime_timer.hpp"

#include <sys/timex.h>
#include <unistd.h>

namespace schultor::base {

struct WallClock::Impl {
  RealtimeTimer timer;
};

WallClock::WallClock(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WallClock::WallClock(WallClock&&) noexcept = default;
WallClock& WallClock::operator=(WallClock&&) noexcept = default;
WallClock::~WallClock() = default;

Result<WallClock> WallClock::create(EventLoop& loop, std::function<void()> recompute) {
  auto timer = RealtimeTimer::create(loop, [recompute = std::move(recompute)](bool clock_was_set) {
    if (clock_was_set) log(Priority::notice, message_id::clock_jumped, "The clock was set: computing anew what holds now");
    recompute();
  });
  if (!timer) return pass(std::move(timer));
  return WallClock(std::make_unique<Impl>(Impl{std::move(*timer)}));
}

Instant WallClock::now() const { return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()); }

bool WallClock::synchronised() const {
  timex question{};
  if (adjtimex(&question) >= 0 && (question.status & STA_UNSYNC) == 0) return true;
  // The kernel takes its word back when no server was heard for hours; the clock is none the worse for it.
  return access("/run/systemd/timesync/synchronized", F_OK) == 0;
}

Result<void> WallClock::arm(std::optional<Instant> due) {
  return impl_->timer.arm(due ? std::optional(due->time_since_epoch()) : std::nullopt);
}

}  // namespace schultor::base
