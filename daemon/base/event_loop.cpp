// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/event_loop.hpp"

#include <cerrno>
#include <csignal>
#include <utility>

namespace schultor::base {

/// Held by the handle, and by the C callback while it runs: a handler may destroy its own handle.
struct EventSource::Callback : std::enable_shared_from_this<EventSource::Callback> {
  std::function<void(std::uint32_t)> handler;
  sd_event_source* source = nullptr;
  sd_event_source* more[2] = {nullptr, nullptr};
  std::shared_ptr<EventLoop::Afterwards> afterwards;  // of its loop

  Callback() = default;
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;
  ~Callback() {
    sd_event_source_disable_unref(source);
    for (auto* other : more) sd_event_source_disable_unref(other);
  }
};

struct EventLoop::Afterwards {
  std::weak_ptr<EventSource::Callback> callback;
};

namespace {

using Callback = EventSource::Callback;

void invoke(void* userdata, std::uint32_t events) {
  const auto alive = static_cast<Callback*>(userdata)->shared_from_this();
  alive->handler(events);
  if (const auto next = alive->afterwards->callback.lock()) next->handler(0);
}

int on_io(sd_event_source*, int, std::uint32_t events, void* userdata) {
  invoke(userdata, events);
  return 0;
}
int on_time(sd_event_source*, std::uint64_t, void* userdata) {
  invoke(userdata, 0);
  return 0;
}
int on_exit(sd_event_source*, void* userdata) {
  invoke(userdata, 0);
  return 0;
}
int on_hangup(sd_event_source*, const signalfd_siginfo*, void* userdata) {
  invoke(userdata, 0);
  return 0;
}

}  // namespace

void EventSource::set_events(std::uint32_t events) { sd_event_source_set_io_events(callback_->source, events); }

void EventSource::restart(std::chrono::microseconds delay) {
  sd_event_source_set_time_relative(callback_->source, static_cast<std::uint64_t>(delay.count()));
  sd_event_source_set_enabled(callback_->source, SD_EVENT_ONESHOT);
}

Result<EventLoop> EventLoop::create() {
  sd_event* event = nullptr;
  if (const int r = sd_event_default(&event); r < 0) return fail_errno(-r, "creating the event loop");
  return EventLoop(event);
}

EventLoop::EventLoop(sd_event* event) : event_(event), afterwards_(std::make_shared<Afterwards>()) {}

std::shared_ptr<Callback> EventLoop::make_callback(std::function<void(std::uint32_t)> handler) const {
  auto callback = std::make_shared<Callback>();
  callback->handler = std::move(handler);
  callback->afterwards = afterwards_;
  return callback;
}

Result<EventSource> EventLoop::watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> handler) {
  auto callback = make_callback(std::move(handler));
  if (const int r = sd_event_add_io(event_.get(), &callback->source, fd, events, on_io, callback.get()); r < 0)
    return fail_errno(-r, "watching a descriptor");
  return EventSource(std::move(callback));
}

Result<EventSource> EventLoop::after(std::chrono::microseconds delay, std::function<void()> handler) {
  auto callback = make_callback([handler = std::move(handler)](std::uint32_t) { handler(); });
  if (const int r = sd_event_add_time_relative(event_.get(), &callback->source, CLOCK_MONOTONIC,
                                               static_cast<std::uint64_t>(delay.count()), 1000, on_time, callback.get());
      r < 0)
    return fail_errno(-r, "setting a timer");
  return EventSource(std::move(callback));
}

EventSource EventLoop::after_each(std::function<void()> handler) {
  auto callback = make_callback([handler = std::move(handler)](std::uint32_t) { handler(); });
  afterwards_->callback = callback;
  return EventSource(std::move(callback));
}

Result<EventSource> EventLoop::handle_signals(std::function<void()> hangup) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return fail_errno(errno, "blocking signals");
  auto callback = make_callback([handler = std::move(hangup)](std::uint32_t) { handler(); });
  // Without a handler sd-event ends the loop on the signal.
  int r = sd_event_add_signal(event_.get(), &callback->more[0], SIGTERM, nullptr, nullptr);
  if (r >= 0) r = sd_event_add_signal(event_.get(), &callback->more[1], SIGINT, nullptr, nullptr);
  if (r >= 0) r = sd_event_add_signal(event_.get(), &callback->source, SIGHUP, on_hangup, callback.get());
  if (r < 0) return fail_errno(-r, "handling signals");
  return EventSource(std::move(callback));
}

Result<EventSource> EventLoop::at_end(std::function<void()> handler) {
  auto callback = make_callback([event = event_.get(), handler = std::move(handler)](std::uint32_t) {
    int code = 0;
    if (sd_event_get_exit_code(event, &code) >= 0 && code == 0) handler();
  });
  int r = sd_event_add_exit(event_.get(), &callback->source, on_exit, callback.get());
  // sd-bus flushes and closes at normal priority.
  if (r >= 0) r = sd_event_source_set_priority(callback->source, SD_EVENT_PRIORITY_IMPORTANT);
  if (r < 0) return fail_errno(-r, "waiting for the loop's end");
  return EventSource(std::move(callback));
}

void EventLoop::enable_watchdog() { sd_event_set_watchdog(event_.get(), 1); }

Result<void> EventLoop::run() {
  const int r = sd_event_loop(event_.get());
  if (r < 0) return fail_errno(-r, "running the event loop");
  // quit() and signals end it with 0; sd-bus, told to exit on disconnect, with EXIT_FAILURE.
  if (r > 0) return fail("the system bus went away");
  return {};
}

void EventLoop::quit() { sd_event_exit(event_.get(), 0); }

}  // namespace schultor::base
