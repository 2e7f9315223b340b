// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "tests/system/broker/child.hpp"

#include <systemd/sd-bus.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace schultor::broker_test {

/// Why this machine cannot run these tests; empty if it can. Moves the process into a network namespace of its own.
std::string why_not_here();

/// A school and its city in a temporary directory: a bus, schultord's stand-in, a broker with TLS, the city's eye on it, and the
/// schultor-report under test. All real programs; all gone with this object.
class School {
public:
  School();
  ~School();
  School(const School&) = delete;
  School& operator=(const School&) = delete;

  void start_broker();
  void start_gateway();
  /// Starts schultor-report and waits until it is at work, whether or not it has the broker.
  void start_report(const std::string& certificate = "school");
  /// A city that keeps its subscription while broker or city are away; from its start on it writes down what it gets.
  void start_city();
  /// The city's subscription is on the broker's disk: a killed broker still has it.
  void save_broker();

  /// Raises an event with this id.
  void raise(const std::string& id, const std::string& command = "raise");
  /// Waits until org.schultor.Report1 says so.
  void wait_for_depth(std::uint32_t depth);
  void wait_for_broker(bool connected);
  /// How often the city got each event so far, by id, since its last mark.
  std::vector<std::string> event_ids();
  /// Waits until the city has each of these events, at least once.
  void wait_for_events(const std::vector<std::string>& ids);

  /// A connection of the test's own to the bus.
  sd_bus* bus();

  std::filesystem::path directory;
  std::unique_ptr<Child> bus_daemon, gateway, broker, city, report;

private:
  bool property(const char* name, char type, std::uint32_t wanted);
  void write(const std::string& name, const std::string& text) const;

  std::unique_ptr<sd_bus, sd_bus* (*)(sd_bus*)> bus_{nullptr, sd_bus_flush_close_unref};
};

/// {"id", "kind": "mode", …}
std::string event_json(const std::string& id);
std::string description_json(const std::string& profile);

}  // namespace schultor::broker_test
