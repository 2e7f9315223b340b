// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <systemd/sd-event.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace schultor::base {

/// A subscription to an event. It lives as long as this handle: destroying the handle ends
/// it, also from within its own callback.
class EventSource {
public:
  struct Callback;  // the heap cell that the C callback's userdata points at

  EventSource() = default;
  explicit EventSource(std::shared_ptr<Callback> callback) : callback_(std::move(callback)) {}
  explicit operator bool() const noexcept { return callback_ != nullptr; }
  void reset() noexcept { callback_.reset(); }

  /// For I/O sources: the events now waited for, a mask of EPOLLIN, EPOLLOUT.
  void set_events(std::uint32_t events);
  /// For timers: fires once more, `delay` from now (monotonic clock).
  void restart(std::chrono::microseconds delay);

private:
  std::shared_ptr<Callback> callback_;
};

/// An sd-event loop. Handlers run on the thread that runs it, and must not throw.
class EventLoop {
public:
  static Result<EventLoop> create();

  /// `handler` gets the mask of epoll events that are ready. The descriptor stays the caller's, who
  /// destroys the source before closing it.
  [[nodiscard]] Result<EventSource> watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> handler);
  /// Once, after `delay` on the monotonic clock.
  [[nodiscard]] Result<EventSource> after(std::chrono::microseconds delay, std::function<void()> handler);
  /// After each handler of a descriptor, timer or signal: the place for what the handler has collected. One at a time: it takes the
  /// place of an earlier one. Not a source of sd-event's own (sd_event_add_post(3)), which has the loop poll once more.
  [[nodiscard]] EventSource after_each(std::function<void()> handler);
  /// SIGTERM and SIGINT end the loop; SIGHUP is handed to `on_hangup`. Blocks the three for this thread.
  [[nodiscard]] Result<EventSource> handle_signals(std::function<void()> on_hangup);
  /// Once, when the loop ends by quit() or a signal: while a bus that is attached to it is still there.
  [[nodiscard]] Result<EventSource> at_end(std::function<void()> handler);
  /// Feeds the service manager's watchdog by itself when one is set (sd_event_set_watchdog(3)).
  void enable_watchdog();

  /// Runs until quit() or a signal that ends it. A bus that was told to exit on disconnect ends it with an error.
  [[nodiscard]] Result<void> run();
  void quit();

  /// Borrowed: for sd-bus, which attaches itself.
  [[nodiscard]] sd_event* native() const noexcept { return event_.get(); }

private:
  struct Unref {
    void operator()(sd_event* event) const noexcept { sd_event_unref(event); }
  };
  explicit EventLoop(sd_event* event);
  struct Afterwards;
  friend EventSource::Callback;
  [[nodiscard]] std::shared_ptr<EventSource::Callback> make_callback(std::function<void(std::uint32_t)> handler) const;

  std::unique_ptr<sd_event, Unref> event_;
  std::shared_ptr<Afterwards> afterwards_;
};

}  // namespace schultor::base
