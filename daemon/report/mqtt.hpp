// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/report/mqtt_session.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace schultor::report {

/// The broker, always being reached for. Connections are dialled and served on a thread of their own, because libmosquitto
/// resolves names and opens TCP connections blocking: the event loop, which answers D-Bus and feeds the watchdog, never waits
/// for a network. The thread owns the library alone; both sides hand each other values through queues and eventfds.
class Mqtt {
public:
  /// Called on the event loop's thread.
  struct Handlers {
    std::function<void()> connected;
    /// The connection ended, or could not be had: why. Nothing that was published over it and not yet acknowledged will be.
    std::function<void(const std::string& why)> lost;
    /// The broker has the publication of this number.
    std::function<void(std::int64_t number)> acknowledged;
    /// It does not take it: why.
    std::function<void(std::int64_t number, const std::string& why)> refused;
    /// All of the above that came at once have been called.
    std::function<void()> settled;
  };

  /// Dials at once, and again after each end. `will` is retained.
  static base::Result<std::unique_ptr<Mqtt>> start(base::EventLoop& loop, Broker broker, std::string client, Publication will,
                                                   Handlers handlers);
  /// Ends without waiting for the broker.
  ~Mqtt();

  /// Over the connection that connected() told of last; does nothing when that has ended. In the order of calls.
  void publish(std::int64_t number, Publication publication);
  /// Publishes `last`, waits for its acknowledgement for at most two seconds, and takes leave. Blocks; no handler is called any
  /// more.
  void stop(Publication last);

private:
  struct Shared;
  Mqtt(std::shared_ptr<Shared> shared, Handlers handlers);
  void on_wake();

  std::shared_ptr<Shared> shared_;
  Handlers handlers_;
  base::EventSource source_;
  std::uint64_t connection_ = 0;  ///< the connection that handlers know of; 0: none
};

}  // namespace schultor::report
