// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/bus/gateway_client.hpp"

#include "daemon/base/log.hpp"

#include <systemd/sd-bus.h>

#include <chrono>
#include <utility>

namespace schultor::bus {
namespace {

constexpr const char* gateway_name = "org.schultor.Gateway1";
constexpr const char* gateway_path = "/org/schultor/Gateway1";
constexpr const char* manager_interface = "org.schultor.Gateway1.Manager";
constexpr std::chrono::seconds pause_after_failure{5};
/// Beyond that a list of events is not schultord's.
constexpr std::size_t most_events = 10'000;

struct FlushClose {
  void operator()(sd_bus* bus) const noexcept { sd_bus_flush_close_unref(bus); }
};
struct UnrefSlot {
  void operator()(sd_bus_slot* slot) const noexcept { sd_bus_slot_unref(slot); }
};
struct UnrefMessage {
  void operator()(sd_bus_message* message) const noexcept { sd_bus_message_unref(message); }
};
using Slot = std::unique_ptr<sd_bus_slot, UnrefSlot>;

bool is_absent(const sd_bus_error* error) {
  return sd_bus_error_has_names(error, SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER) != 0;
}

}  // namespace

struct GatewayClient::Impl {
  /// A method that is asked anew when it became stale while its answer was on the way.
  struct Question {
    const char* method;
    Slot pending{};
    bool stale = false;
  };

  base::EventLoop& loop;
  Handlers handlers;
  std::unique_ptr<sd_bus, FlushClose> bus{};
  Slot owner_match{}, event_match{}, state_match{};
  Question describe{"Describe"};
  Question list{"ListEvents"};
  base::EventSource retry{};
  bool complained = false;  ///< once for each time that schultord does not answer

  void ask(Question& question);
  void answered(Question& question, sd_bus_message* answer);
  void ask_all() {
    ask(list);
    ask(describe);
  }
  void ask_all_later();
  void complain(const Question& question, const sd_bus_error& error);
  bool read(const Question& question, sd_bus_message* answer);
};

namespace {

template <typename Impl>
Impl& of(void* userdata) {
  return *static_cast<Impl*>(userdata);
}

template <typename Impl>
int on_describe(sd_bus_message* answer, void* userdata, sd_bus_error*) {
  of<Impl>(userdata).answered(of<Impl>(userdata).describe, answer);
  return 0;
}
template <typename Impl>
int on_list(sd_bus_message* answer, void* userdata, sd_bus_error*) {
  of<Impl>(userdata).answered(of<Impl>(userdata).list, answer);
  return 0;
}

template <typename Impl>
int on_event(sd_bus_message* signal, void* userdata, sd_bus_error*) {
  const char* json = nullptr;
  if (sd_bus_message_read(signal, "s", &json) > 0) of<Impl>(userdata).handlers.event_raised(json);
  return 0;
}

template <typename Impl>
int on_state(sd_bus_message*, void* userdata, sd_bus_error*) {
  of<Impl>(userdata).ask(of<Impl>(userdata).describe);
  return 0;
}

template <typename Impl>
int on_owner(sd_bus_message* signal, void* userdata, sd_bus_error*) {
  const char* name = nullptr;
  const char* before = nullptr;
  const char* now = nullptr;
  if (sd_bus_message_read(signal, "sss", &name, &before, &now) <= 0) return 0;
  if (*now == '\0') of<Impl>(userdata).handlers.gone();
  else of<Impl>(userdata).ask_all();
  return 0;
}

}  // namespace

void GatewayClient::Impl::ask(Question& question) {
  if (question.pending) {
    question.stale = true;
    return;
  }
  question.stale = false;
  sd_bus_message* message = nullptr;
  int r = sd_bus_message_new_method_call(bus.get(), &message, gateway_name, gateway_path, manager_interface, question.method);
  const std::unique_ptr<sd_bus_message, UnrefMessage> call(message);
  // It is the service manager that starts schultord, not our question.
  if (r >= 0) r = sd_bus_message_set_auto_start(call.get(), 0);
  sd_bus_slot* slot = nullptr;
  if (r >= 0) r = sd_bus_call_async(bus.get(), &slot, call.get(), &question == &list ? on_list<Impl> : on_describe<Impl>, this, 0);
  if (r >= 0) question.pending.reset(slot);
  else ask_all_later();
}

void GatewayClient::Impl::ask_all_later() {
  if (retry) return retry.restart(pause_after_failure);
  if (auto timer = loop.after(pause_after_failure, [this] { ask_all(); })) retry = std::move(*timer);
}

void GatewayClient::Impl::complain(const Question& question, const sd_bus_error& error) {
  // It may hang, or have died with the question: its coming back is a signal, its recovery is not.
  if (sd_bus_error_has_name(&error, SD_BUS_ERROR_NO_REPLY) != 0) handlers.gone();
  ask_all_later();
  if (!std::exchange(complained, true))
    base::log(base::Priority::warning, {},
              fmt::format("schultord does not answer {}, which is asked again: {}", question.method,
                          error.message != nullptr ? error.message : error.name));
}

void GatewayClient::Impl::answered(Question& question, sd_bus_message* answer) {
  const Slot done = std::move(question.pending);
  const sd_bus_error* error = sd_bus_message_get_error(answer);
  if (error != nullptr && is_absent(error)) {
    handlers.gone();
  } else if (error != nullptr) {
    complain(question, *error);
  } else if (complained = false; !read(question, answer)) {
    base::log(base::Priority::error, {},
              fmt::format("schultord's answer to {} is not understood: are both of the same version?", question.method));
  }
  if (question.stale) ask(question);
}

bool GatewayClient::Impl::read(const Question& question, sd_bus_message* answer) {
  if (&question == &describe) {
    const char* json = nullptr;
    if (sd_bus_message_read(answer, "s", &json) <= 0) return false;
    handlers.described(json);
    return true;
  }
  std::vector<std::string> events;
  if (sd_bus_message_enter_container(answer, 'a', "s") <= 0) return false;
  const char* json = nullptr;
  int r = 0;
  while ((r = sd_bus_message_read_basic(answer, 's', &json)) > 0 && events.size() < most_events) events.emplace_back(json);
  if (r < 0) return false;
  handlers.events_listed(events);
  return true;
}

GatewayClient::GatewayClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GatewayClient::~GatewayClient() = default;

base::Result<std::unique_ptr<GatewayClient>> GatewayClient::create(base::EventLoop& loop, Handlers handlers) {
  auto impl = std::make_unique<Impl>(Impl{loop, std::move(handlers)});
  sd_bus* bus = nullptr;
  int r = sd_bus_open_system(&bus);
  impl->bus.reset(bus);
  if (r < 0) return base::fail_errno(-r, "connecting to the system bus");

  void* userdata = impl.get();
  const auto match = [&](Slot& slot, const std::string& rule, sd_bus_message_handler_t handler) {
    sd_bus_slot* matched = nullptr;
    if (r >= 0) r = sd_bus_add_match_async(bus, &matched, rule.c_str(), handler, nullptr, userdata);
    slot.reset(matched);
  };
  const auto signal = [](const char* member) {
    return fmt::format("type='signal',sender='{}',path='{}',interface='{}',member='{}'", gateway_name, gateway_path,
                       manager_interface, member);
  };
  match(impl->owner_match,
        fmt::format("type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
                    "member='NameOwnerChanged',arg0='{}'",
                    gateway_name),
        on_owner<Impl>);
  match(impl->event_match, signal("EventRaised"), on_event<Impl>);
  match(impl->state_match, signal("StateChanged"), on_state<Impl>);
  if (r >= 0) r = sd_bus_set_exit_on_disconnect(bus, 1);
  if (r >= 0) r = sd_bus_attach_event(bus, loop.native(), SD_EVENT_PRIORITY_NORMAL);
  if (r < 0) return base::fail_errno(-r, "following schultord on the bus");
  // The bus keeps the order: what is raised after these answers comes as a signal.
  impl->ask_all();
  return std::unique_ptr<GatewayClient>(new GatewayClient(std::move(impl)));
}

void GatewayClient::list_events() { impl_->ask(impl_->list); }
void GatewayClient::describe() { impl_->ask(impl_->describe); }

}  // namespace schultor::bus
