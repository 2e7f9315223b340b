// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/report/reporter.hpp"

#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"

#include <chrono>
#include <utility>

namespace schultor::report {
namespace {

using base::log;
using base::Priority;
using base::Result;

constexpr std::int64_t state_number = 0;  // the outbox counts from 1
constexpr std::int64_t telemetry_number = -1;
constexpr std::chrono::seconds telemetry_every{60};
/// As many as a broker takes at once by default, and as libmosquitto sends without queueing them itself.
constexpr std::size_t most_in_flight = 20;
/// Also what makes delivered ids seen, long before they are old enough to be forgotten; and what tries again what was refused.
constexpr std::chrono::minutes relist_every{15};

}  // namespace

Reporter::Reporter(Outbox outbox, Options options, Handlers handlers)
    : outbox_(std::move(outbox)), options_(std::move(options)), handlers_(std::move(handlers)) {}

Result<std::unique_ptr<Reporter>> Reporter::start(base::EventLoop& loop, Options options, Handlers handlers) {
  auto outbox = Outbox::open(options.outbox);
  if (!outbox) return base::pass(std::move(outbox));
  if (!outbox->set_aside().empty())
    log(Priority::error, base::message_id::outbox_failed,
        fmt::format("The outbox was damaged: it lies at {} now, what it held has not reached the city; a new one is begun",
                    outbox->set_aside().string()));
  std::unique_ptr<Reporter> reporter(new Reporter(std::move(*outbox), std::move(options), std::move(handlers)));
  if (auto connecting = reporter->connect(loop); !connecting) return base::pass(std::move(connecting));
  return reporter;
}

Result<void> Reporter::connect(base::EventLoop& loop) {
  auto relist = loop.after(relist_every, [this] {
    relist_.restart(relist_every);
    if (gateway_runs_) handlers_.list_events();
    // Also what the broker refused is offered once more.
    if (in_flight_.empty()) sent_up_to_ = 0;
    send_pending();
  });
  if (!relist) return base::pass(std::move(relist));
  relist_ = std::move(*relist);
  if (auto watching = watch_telemetry(loop); !watching) return base::pass(std::move(watching));
  auto mqtt =
      Mqtt::start(loop, options_.broker, "schultor-" + options_.school, {state_topic(options_.school), offline_payload(), true},
                  {[this] { on_connected(); }, [this](const std::string& why) { on_lost(why); },
                   [this](std::int64_t number) {
                     if (number == telemetry_number) telemetry_.delivered();
                     else if (number != state_number) acknowledged_.push_back(number);
                   },
                   [this](std::int64_t number, const std::string& why) { on_refused(number, why); }, [this] { settle(); }});
  if (!mqtt) return base::pass(std::move(mqtt));
  mqtt_ = std::move(*mqtt);
  return {};
}

void Reporter::described(std::string_view json) {
  auto facts = parse_description(json);
  if (!facts) {
    log(Priority::error, {},
        fmt::format("schultord describes itself in a way that is not understood: {} (are both of the same version?)",
                    facts.error().what()));
    return;
  }
  facts_ = std::move(*facts);
  telemetry_.sampled(*facts_);
  // The state was not looked at because it had changed.
  const bool for_telemetry = std::exchange(telemetry_due_, false);
  if (for_telemetry) publish_telemetry();
  if (!std::exchange(gateway_runs_, true) || !for_telemetry) publish_state();
}

void Reporter::gateway_gone() {
  if (!std::exchange(gateway_runs_, false)) return;
  publish_state();
}

std::optional<Outbox::Message> Reporter::message_of(std::string_view event) {
  auto message = compose_event(event);
  if (message) return Outbox::Message{message->id, event_topic(options_.school, message->kind), message->payload};
  log(Priority::error, {},
      fmt::format("An event of schultord's is not understood and does not reach the city: {}", message.error().what()));
  return std::nullopt;
}

void Reporter::event_raised(std::string_view json) {
  if (const auto message = message_of(json)) keep(outbox_.add(std::span(&*message, 1), options_.now()));
}

void Reporter::events_listed(const std::vector<std::string>& events) {
  std::vector<Outbox::Message> messages;
  for (const auto& event : events)
    if (auto message = message_of(event)) messages.push_back(std::move(*message));
  keep(outbox_.reconcile(messages, options_.now()));
}

void Reporter::keep(const Result<Outbox::Added>& added) {
  if (!added) return outbox_failed(added.error());
  if (added->refused > 0 && outbox_health_ != OutboxHealth::full)
    log(Priority::error, base::message_id::outbox_failed,
        fmt::format("The outbox is full with {} messages and takes no more: the broker {} has not been reached for too long. "
                    "schultord keeps its latest events, and they are taken once there is room",
                    outbox_.depth(), options_.broker.url()));
  outbox_is(added->refused > 0 ? OutboxHealth::full : OutboxHealth::ok);
  handlers_.changed();
  send_pending();
}

void Reporter::outbox_failed(const base::Error& error) {
  if (outbox_health_ != OutboxHealth::failed)
    log(Priority::error, base::message_id::outbox_failed,
        fmt::format("{}: events are not kept until that is mended; schultord keeps its latest meanwhile", error.what()));
  outbox_is(OutboxHealth::failed);
  if (outbox_.damaged()) handlers_.failed(error.what());
}

void Reporter::outbox_is(OutboxHealth health) {
  if (std::exchange(outbox_health_, health) != health) publish_state();
}

void Reporter::on_connected() {
  log(Priority::notice, base::message_id::broker_connected,
      fmt::format("Connected to the city's broker {}, {} messages wait for it", options_.broker.url(), outbox_.depth()));
  broker_connected_ = true;
  lost_because_.clear();
  sent_up_to_ = 0;
  publish_state();
  send_pending();
}

void Reporter::on_lost(const std::string& why) {
  broker_connected_ = false;
  in_flight_.clear();
  telemetry_.lost();
  // Once for each reason: it is dialled again and again.
  if (why == lost_because_) return;
  lost_because_ = why;
  log(Priority::warning, base::message_id::broker_lost, fmt::format("No connection to the city's broker {}; events are kept", why));
}

void Reporter::on_refused(std::int64_t number, const std::string& why) {
  if (number == telemetry_number) telemetry_.lost();
  // It stays in the outbox and is offered again later; what stands behind it does not wait for it.
  in_flight_.erase(number);
  log(Priority::error, base::message_id::broker_lost,
      fmt::format("The broker {} does not take a message, which is kept: {}", options_.broker.url(), why));
}

void Reporter::settle() {
  if (!acknowledged_.empty()) {
    const auto delivered = outbox_.deliver(acknowledged_, options_.now());
    // Should that fail they are sent once more some day, and the city knows them by their ids.
    if (!delivered) outbox_failed(delivered.error());
    for (const auto number : acknowledged_) in_flight_.erase(number);
    acknowledged_.clear();
    if (outbox_health_ == OutboxHealth::full && delivered) handlers_.list_events();
  }
  send_pending();
  handlers_.changed();
}

void Reporter::send_pending() {
  if (!broker_connected_ || in_flight_.size() >= most_in_flight) return;
  auto rows = outbox_.pending(sent_up_to_, most_in_flight - in_flight_.size());
  if (!rows) return outbox_failed(rows.error());
  for (auto& row : *rows) {
    sent_up_to_ = row.number;
    in_flight_.insert(row.number);
    mqtt_->publish(row.number, {std::move(row.topic), std::move(row.payload), false});
  }
}

void Reporter::publish_state() {
  if (!broker_connected_) return;
  mqtt_->publish(state_number,
                 {state_topic(options_.school), compose_state(options_.school, facts_, gateway_runs_, outbox_health_), true});
}

Result<void> Reporter::watch_telemetry(base::EventLoop& loop) {
  auto tick = loop.after(telemetry_every, [this] {
    telemetry_tick_.restart(telemetry_every);
    if (!gateway_runs_) return;
    telemetry_due_ = true;
    handlers_.describe();
  });
  if (!tick) return base::pass(std::move(tick));
  telemetry_tick_ = std::move(*tick);
  return {};
}

void Reporter::publish_telemetry() {
  if (!broker_connected_) return;
  if (auto payload = telemetry_.take())
    mqtt_->publish(telemetry_number, {telemetry_topic(options_.school), std::move(*payload), false});
}

std::string Reporter::status_line() const {
  return fmt::format("{} {}; {} {} for the city", broker_connected_ ? "connected to" : "no connection to", options_.broker.url(),
                     outbox_.depth(), outbox_.depth() == 1 ? "message waits" : "messages wait");
}

void Reporter::stop() { mqtt_->stop({state_topic(options_.school), offline_payload(), true}); }

}  // namespace schultor::report
