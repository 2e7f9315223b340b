// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/base/result.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace schultor::base {

/// An instant, UTC, microseconds.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;

/// The one place that reads the time of day. Two implementations of this class exist, and the
/// linker picks one: the system's clock (wall_clock.cpp), and the lab's, which a test can set
/// (wall_clock_lab.cpp; never installed).
class WallClock {
public:
  /// `recompute` is called when an armed instant has come and when the clock was set
  /// (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET); it is expected to arm anew.
  static Result<WallClock> create(EventLoop& loop, std::function<void()> recompute);

  [[nodiscard]] Instant now() const;
  /// Whether a time service has set the clock since the machine started: by the kernel's word (adjtimex(2), STA_UNSYNC), which
  /// chrony, ntpd and systemd-timesyncd keep, or by the mark that systemd-timesyncd leaves.
  [[nodiscard]] bool synchronised() const;
  /// Waits for `due`, or for nothing but a set clock. An instant that has passed fires at once.
  [[nodiscard]] Result<void> arm(std::optional<Instant> due);

  WallClock(WallClock&&) noexcept;
  WallClock& operator=(WallClock&&) noexcept;
  ~WallClock();

private:
  struct Impl;
  explicit WallClock(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schultor::base
