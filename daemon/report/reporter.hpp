// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/report/messages.hpp"
#include "daemon/report/mqtt.hpp"
#include "daemon/report/outbox.hpp"
#include "daemon/report/telemetry.hpp"

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::report {

/// From facts to the city: keeps events in the outbox until the broker has them, keeps the school's state published.
class Reporter {
public:
  struct Options {
    std::string school;
    Broker broker;
    std::filesystem::path outbox;
    std::function<Outbox::Instant()> now;
  };
  struct Handlers {
    /// broker_connected() or outbox_depth() may have changed.
    std::function<void()> changed;
    /// schultord's events are to be read anew: events_listed() is awaited.
    std::function<void()> list_events;
    /// schultord is to be looked at: described() is awaited.
    std::function<void()> describe;
    /// Nothing can be kept any more; a new start mends it.
    std::function<void(const std::string& why)> failed;
  };

  /// Opens the outbox and begins to reach for the broker, without waiting for it.
  static base::Result<std::unique_ptr<Reporter>> start(base::EventLoop& loop, Options options, Handlers handlers);

  /// schultord says how it is: the answer of Manager.Describe.
  void described(std::string_view json);
  /// schultord is not there.
  void gateway_gone();
  /// Manager.EventRaised.
  void event_raised(std::string_view json);
  /// The answer of Manager.ListEvents.
  void events_listed(const std::vector<std::string>& events);

  [[nodiscard]] bool broker_connected() const { return broker_connected_; }
  [[nodiscard]] std::size_t outbox_depth() const { return outbox_.depth(); }
  /// One line for the service manager.
  [[nodiscard]] std::string status_line() const;

  /// Tells the city that the school goes offline, and takes leave of the broker. Blocks for a few seconds at most.
  void stop();

private:
  Reporter(Outbox outbox, Options options, Handlers handlers);
  base::Result<void> connect(base::EventLoop& loop);
  std::optional<Outbox::Message> message_of(std::string_view event);
  void keep(const base::Result<Outbox::Added>& added);
  void outbox_failed(const base::Error& error);
  void outbox_is(OutboxHealth health);
  void on_connected();
  void on_lost(const std::string& why);
  void on_refused(std::int64_t number, const std::string& why);
  void settle();
  void send_pending();
  void publish_state();
  base::Result<void> watch_telemetry(base::EventLoop& loop);
  void publish_telemetry();

  Outbox outbox_;
  Options options_;
  Handlers handlers_;
  std::unique_ptr<Mqtt> mqtt_;
  base::EventSource relist_;  ///< reads schultord's events anew from time to time

  Telemetry telemetry_;
  base::EventSource telemetry_tick_;
  bool telemetry_due_ = false;  ///< schultord is being looked at for it

  std::optional<GatewayFacts> facts_;
  bool gateway_runs_ = false;
  OutboxHealth outbox_health_ = OutboxHealth::ok;

  bool broker_connected_ = false;
  std::string lost_because_;
  std::set<std::int64_t> in_flight_;
  std::vector<std::int64_t> acknowledged_;  ///< not yet taken out of the outbox
  std::int64_t sent_up_to_ = 0;
};

}  // namespace schultor::report
