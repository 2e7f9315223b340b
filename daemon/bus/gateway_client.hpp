// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::bus {

/// Follows schultord over org.schultor.Gateway1: whenever either side comes anew, its events and its state are read, so that
/// nothing that was raised in between is missed. schultord may come and go; nothing here waits for it.
class GatewayClient {
public:
  /// On the event loop's thread. The texts are JSON as schultord wrote it, unjudged.
  struct Handlers {
    std::function<void(std::string_view json)> described;
    std::function<void(std::string_view json)> event_raised;
    std::function<void(const std::vector<std::string>& events)> events_listed;
    std::function<void()> gone;
  };

  /// Fails when there is no bus. When the bus goes away, the event loop ends with an error.
  static base::Result<std::unique_ptr<GatewayClient>> create(base::EventLoop& loop, Handlers handlers);
  ~GatewayClient();

  /// Reads the events once more: events_listed follows if schultord is there.
  void list_events();
  /// Reads the state once more: described follows if schultord is there.
  void describe();

private:
  struct Impl;
  explicit GatewayClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schultor::bus
