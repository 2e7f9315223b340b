// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::ctl {

/// What schultor-report says of the city's broker.
struct BrokerHealth {
  bool connected = false;
  std::uint32_t waiting = 0;  ///< events in the outbox
};

/// What schultord answered to a wish: what came of it, or why it was refused.
struct Answered {
  std::string text;
  bool refused = false;
};

/// The running daemons on the system bus (DBUS_SYSTEM_BUS_ADDRESS is honoured).
class BusClient {
public:
  static base::Result<BusClient> connect();

  /// Whether there is one who can be asked.
  base::Result<bool> schultord_runs();
  base::Result<std::string> describe();
  base::Result<std::string> gate_statistics();
  base::Result<std::string> ruleset();
  /// What the content cache spares the line.
  base::Result<std::string> cache_statistics();
  /// Withdraws what the content cache holds of an address, of an origin, or everything where it is empty.
  base::Result<Answered> purge(const std::string& what);
  /// Each as JSON, oldest first.
  base::Result<std::vector<std::string>> events();
  /// What the kernel holds otherwise than it was told; wants the right to configure.
  base::Result<std::vector<std::string>> verify();
  /// Asks for what takes a right: Override, ExtendOverride, ClearOverride, LogQuestions (whose `first` argument is a number),
  /// EndQuestionLog or ListDevices with their arguments. Where a terminal is there, the user may be asked for a password.
  base::Result<Answered> ask(const char* method, const std::vector<std::string>& arguments,
                             std::optional<std::uint32_t> first = std::nullopt);
  /// None when it was applied; else why the configuration was refused, a line for each error.
  base::Result<std::optional<std::string>> reload();
  /// None where schultor-report is not running.
  base::Result<std::optional<BrokerHealth>> broker();

private:
  struct Unref {
    void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
  };
  explicit BusClient(sd_bus* bus) : bus_(bus) {}
  base::Result<std::vector<std::string>> call_for_lines(const char* method);

  std::unique_ptr<sd_bus, Unref> bus_;
};

}  // namespace schultor::ctl
