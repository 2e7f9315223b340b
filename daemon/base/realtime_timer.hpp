// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/base/unique_fd.hpp"

#include <chrono>
#include <functional>
#include <optional>

namespace schultor::base {

/// A timer on CLOCK_REALTIME that also fires when the clock is set (timerfd_create(2)).
class RealtimeTimer {
public:
  /// `fired(true)` when the clock was set, `fired(false)` when the time has come.
  static Result<RealtimeTimer> create(EventLoop& loop, std::function<void(bool clock_was_set)> fired);

  /// Waits until `due`, microseconds since the epoch; without one only for the clock to be set.
  [[nodiscard]] Result<void> arm(std::optional<std::chrono::microseconds> due);

private:
  UniqueFd fd_;
  EventSource source_;
};

}  // namespace schultor::base
