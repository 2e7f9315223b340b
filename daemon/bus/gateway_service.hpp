// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace schultor::bus {

/// A group as the bus shows it (units/dbus/org.schultor.Gateway1.xml). Times are microseconds since the epoch.
struct GroupFacts {
  std::string name;
  std::string profile;
  std::string because;
  std::string text;
  std::uint64_t since = 0;
  std::uint64_t until = 0;  ///< 0: no change ahead
  std::string ownership;
  std::uint32_t devices = 0;
};

struct GatewayFacts {
  std::string school;
  std::string version;
  std::uint64_t policy_revision = 0;
  std::vector<GroupFacts> groups;
};

/// What the service asks the daemon for.
struct GatewayFunctions {
  std::function<GatewayFacts()> facts;
  std::function<std::string()> describe;
  std::function<std::string()> ruleset;
  std::function<std::vector<std::string>()> events;
  std::function<base::Result<void>()> reload;
};

/// org.schultor.Gateway1 on the system bus. Reads are free; who may reload is the bus policy's to say.
class GatewayService {
public:
  /// Fails when there is no bus or the name may not be owned. When the bus goes away the event loop ends with an
  /// error, and the service manager starts the daemon anew.
  static base::Result<std::unique_ptr<GatewayService>> create(base::EventLoop& loop, GatewayFunctions functions);
  ~GatewayService();

  void raise_event(const std::string& event_json);
  /// Tells that modes, health or the configuration changed: StateChanged, and PropertiesChanged of every group.
  void state_changed();

private:
  struct Impl;
  explicit GatewayService(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schultor::bus
