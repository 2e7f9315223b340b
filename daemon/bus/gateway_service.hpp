// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/enforce/gateway.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace schultor::bus {

/// org.schultor.Gateway1 on the system bus. Reads are free; for writes see Authority.
class GatewayService {
public:
  /// Borrows the gateway for as long as it lives. Fails when there is no bus or the name may not be owned. When the bus goes away
  /// the event loop ends with an error, and the service manager starts the daemon anew.
  static base::Result<std::unique_ptr<GatewayService>> create(base::EventLoop& loop, enforce::Gateway& gateway);
  ~GatewayService();

  /// Whether the service is to stay stopped: see is_stopped_for_good().
  [[nodiscard]] bool stopped_for_good() const;

  void raise_event(const std::string& event_json);
  /// Tells that modes, health or the configuration changed: StateChanged, and PropertiesChanged of every group.
  void state_changed();
  /// At the daemon's end: the same, and waits until somebody has asked for it, but no longer than `most`.
  void describe_once_more(std::chrono::milliseconds most);

private:
  struct Impl;
  explicit GatewayService(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schultor::bus
