// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/bus_client.hpp"

#include <unistd.h>

#include <chrono>
#include <string_view>

namespace schultor::ctl {
namespace {

constexpr const char* gateway_name = "org.schultor.Gateway1";
constexpr const char* gateway_path = "/org/schultor/Gateway1";
constexpr const char* manager = "org.schultor.Gateway1.Manager";
constexpr const char* report_name = "org.schultor.Report1";
constexpr const char* report_path = "/org/schultor/Report1";
constexpr const char* report_interface = "org.schultor.Report1";

/// Somebody may be looking for a password; schultord gives up a little earlier.
constexpr std::chrono::microseconds patience = std::chrono::seconds(130);

class BusError {
public:
  BusError() = default;
  BusError(const BusError&) = delete;
  BusError& operator=(const BusError&) = delete;
  ~BusError() { sd_bus_error_free(&error_); }

  sd_bus_error* get() { return &error_; }
  [[nodiscard]] std::string_view name() const { return error_.name != nullptr ? error_.name : ""; }
  [[nodiscard]] std::string_view message() const { return error_.message != nullptr ? error_.message : ""; }
  [[nodiscard]] bool says_nobody_there() const {
    return name() == SD_BUS_ERROR_SERVICE_UNKNOWN || name() == SD_BUS_ERROR_NAME_HAS_NO_OWNER ||
           name().substr(0, 33) == "org.freedesktop.DBus.Error.Spawn.";
  }

private:
  sd_bus_error error_ = SD_BUS_ERROR_NULL;
};

struct MessageUnref {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, MessageUnref>;

tl::unexpected<base::Error> failure(int r, const BusError& error) {
  if (error.says_nobody_there()) return base::fail("schultord is not running: start it with “systemctl start schultord”");
  if (error.name() == SD_BUS_ERROR_ACCESS_DENIED || error.name() == SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED) {
    // schultord says which right is missing; the bus, where it refuses itself, does not.
    if (error.message().find("org.schultor.") != std::string_view::npos) return base::fail("not allowed: {}", error.message());
    return base::fail("not allowed: run this as root, or as a user who may configure the gateway");
  }
  if (!error.message().empty()) return base::fail("schultord: {}", error.message());
  return base::fail_errno(-r, "asking schultord");
}

}  // namespace

base::Result<BusClient> BusClient::connect() {
  sd_bus* bus = nullptr;
  if (const int r = sd_bus_open_system(&bus); r < 0)
    return base::fail("the system bus cannot be reached ({}): is dbus running?", std::generic_category().message(-r));
  return BusClient(bus);
}

base::Result<bool> BusClient::schultord_runs() {
  BusError error;
  sd_bus_message* raw = nullptr;
  int r = sd_bus_call_method(bus_.get(), "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner",
                             error.get(), &raw, "s", gateway_name);
  const Message reply(raw);
  int has_owner = 0;
  if (r >= 0) r = sd_bus_message_read(reply.get(), "b", &has_owner);
  if (r < 0) return base::fail_errno(-r, "asking the system bus for schultord");
  return has_owner != 0;
}

base::Result<std::string> BusClient::call_for_text(const char* method) {
  BusError error;
  sd_bus_message* raw = nullptr;
  int r = sd_bus_call_method(bus_.get(), gateway_name, gateway_path, manager, method, error.get(), &raw, "");
  const Message reply(raw);
  if (r < 0) return failure(r, error);
  const char* text = nullptr;
  r = sd_bus_message_read(reply.get(), "s", &text);
  if (r < 0)
    return base::fail("schultord answered {} in a way that this version does not know: restart it after an update", method);
  return std::string(text);
}

base::Result<std::string> BusClient::describe() { return call_for_text("Describe"); }
base::Result<std::string> BusClient::gate_statistics() { return call_for_text("GateStatistics"); }
base::Result<std::string> BusClient::ruleset() { return call_for_text("Ruleset"); }

base::Result<std::vector<std::string>> BusClient::call_for_lines(const char* method) {
  BusError error;
  sd_bus_message* raw = nullptr;
  int r = sd_bus_call_method(bus_.get(), gateway_name, gateway_path, manager, method, error.get(), &raw, "");
  const Message reply(raw);
  if (r < 0) return failure(r, error);
  std::vector<std::string> lines;
  const char* text = nullptr;
  r = sd_bus_message_enter_container(reply.get(), 'a', "s");
  while (r >= 0 && (r = sd_bus_message_read_basic(reply.get(), 's', &text)) > 0) lines.emplace_back(text);
  if (r < 0)
    return base::fail("schultord answered {} in a way that this version does not know: restart it after an update", method);
  return lines;
}

base::Result<std::vector<std::string>> BusClient::events() { return call_for_lines("ListEvents"); }
base::Result<std::vector<std::string>> BusClient::verify() { return call_for_lines("Verify"); }

base::Result<Answered> BusClient::ask(const char* method, const std::vector<std::string>& arguments,
                                      std::optional<std::uint32_t> first) {
  BusError error;
  sd_bus_message* raw = nullptr;
  int r = sd_bus_message_new_method_call(bus_.get(), &raw, gateway_name, gateway_path, manager, method);
  const Message call(raw);
  if (r >= 0) r = sd_bus_message_set_allow_interactive_authorization(call.get(), isatty(STDIN_FILENO));
  if (r >= 0 && first) r = sd_bus_message_append_basic(call.get(), 'u', &*first);
  for (const auto& argument : arguments)
    if (r >= 0) r = sd_bus_message_append_basic(call.get(), 's', argument.c_str());
  if (r < 0) return base::fail_errno(-r, "asking schultord (are all arguments UTF-8?)");
  raw = nullptr;
  r = sd_bus_call(bus_.get(), call.get(), static_cast<std::uint64_t>(patience.count()), error.get(), &raw);
  const Message reply(raw);
  if (error.name() == "org.schultor.Gateway1.Error.OverrideRefused" ||
      error.name() == "org.schultor.Gateway1.Error.QuestionLogRefused")
    return Answered{std::string(error.message()), true};
  if (r < 0) return failure(r, error);
  const char* text = nullptr;
  if (sd_bus_message_read(reply.get(), "s", &text) <= 0)
    return base::fail("schultord answered {} in a way that this version does not know: restart it after an update", method);
  return Answered{text, false};
}

base::Result<std::optional<std::string>> BusClient::reload() {
  BusError error;
  const int r = sd_bus_call_method(bus_.get(), gateway_name, gateway_path, manager, "Reload", error.get(), nullptr, "");
  if (error.name() == "org.schultor.Gateway1.Error.ConfigurationRefused") return std::string(error.message());
  if (r < 0) return failure(r, error);
  return std::nullopt;
}

base::Result<std::optional<BrokerHealth>> BusClient::broker() {
  BusError error;
  int connected = 0;
  BrokerHealth health;
  int r = sd_bus_get_property_trivial(bus_.get(), report_name, report_path, report_interface, "BrokerConnected", error.get(), 'b',
                                      &connected);
  if (r >= 0)
    r = sd_bus_get_property_trivial(bus_.get(), report_name, report_path, report_interface, "OutboxDepth", error.get(), 'u',
                                    &health.waiting);
  if (r < 0 && error.says_nobody_there()) return std::optional<BrokerHealth>{};
  if (r < 0)
    return base::fail("asking schultor-report: {}",
                      error.message().empty() ? std::generic_category().message(-r) : std::string(error.message()));
  health.connected = connected != 0;
  return std::optional(health);
}

}  // namespace schultor::ctl
