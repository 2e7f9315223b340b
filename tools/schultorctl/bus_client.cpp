// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/bus_client.hpp"

#include <unistd.h>

#include <chrono>
#include <string_view>

namespace schultor::ctl {
namespace {

/// Who is asked.
struct Service {
  const char* name;
  const char* path;
  const char* interface;
  const char* program;
};
constexpr Service gateway{"org.schultor.Gateway1", "/org/schultor/Gateway1", "org.schultor.Gateway1.Manager", "schultord"};
constexpr Service cache{"org.schultor.Cache1", "/org/schultor/Cache1", "org.schultor.Cache1", "schultor-origin"};
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

tl::unexpected<base::Error> failure(const Service& asked, int r, const BusError& error) {
  if (error.says_nobody_there()) return base::fail("{0} is not running: start it with “systemctl start {0}”", asked.program);
  if (error.name() == SD_BUS_ERROR_ACCESS_DENIED || error.name() == SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED) {
    // Who is asked says which right is missing; the bus, where it refuses itself, does not.
    if (error.message().find("org.schultor.") != std::string_view::npos) return base::fail("not allowed: {}", error.message());
    return base::fail("not allowed: run this as root, or as a user who may configure the gateway");
  }
  if (!error.message().empty()) return base::fail("{}: {}", asked.program, error.message());
  return base::fail_errno(-r, fmt::format("asking {}", asked.program));
}

/// An answer of text.
base::Result<std::string> read_text(const Service& asked, const char* method, sd_bus_message* reply) {
  const char* text = nullptr;
  if (sd_bus_message_read(reply, "s", &text) <= 0)
    return base::fail("{} answered {} in a way that this version does not know: restart it after an update", asked.program, method);
  return std::string(text);
}

base::Result<std::string> call_for_text(sd_bus* bus, const Service& asked, const char* method) {
  BusError error;
  sd_bus_message* raw = nullptr;
  const int r = sd_bus_call_method(bus, asked.name, asked.path, asked.interface, method, error.get(), &raw, "");
  const Message reply(raw);
  if (r < 0) return failure(asked, r, error);
  return read_text(asked, method, reply.get());
}

bool is_refusal(std::string_view name) {
  return name == "org.schultor.Gateway1.Error.OverrideRefused" || name == "org.schultor.Gateway1.Error.QuestionLogRefused" ||
         name == "org.schultor.Cache1.Error.Refused";
}

/// Of what takes a right. Where a terminal is there, the user may be asked for a password.
base::Result<Answered> ask_service(sd_bus* bus, const Service& asked, const char* method, const std::vector<std::string>& arguments,
                                   std::optional<std::uint32_t> first) {
  BusError error;
  sd_bus_message* raw = nullptr;
  int r = sd_bus_message_new_method_call(bus, &raw, asked.name, asked.path, asked.interface, method);
  const Message call(raw);
  if (r >= 0) r = sd_bus_message_set_allow_interactive_authorization(call.get(), isatty(STDIN_FILENO));
  if (r >= 0 && first) r = sd_bus_message_append_basic(call.get(), 'u', &*first);
  for (const auto& argument : arguments)
    if (r >= 0) r = sd_bus_message_append_basic(call.get(), 's', argument.c_str());
  if (r < 0) return base::fail_errno(-r, fmt::format("asking {} (are all arguments UTF-8?)", asked.program));
  raw = nullptr;
  r = sd_bus_call(bus, call.get(), static_cast<std::uint64_t>(patience.count()), error.get(), &raw);
  const Message reply(raw);
  if (is_refusal(error.name())) return Answered{std::string(error.message()), true};
  if (r < 0) return failure(asked, r, error);
  auto text = read_text(asked, method, reply.get());
  if (!text) return base::pass(std::move(text));
  return Answered{std::move(*text), false};
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
                             error.get(), &raw, "s", gateway.name);
  const Message reply(raw);
  int has_owner = 0;
  if (r >= 0) r = sd_bus_message_read(reply.get(), "b", &has_owner);
  if (r < 0) return base::fail_errno(-r, "asking the system bus for schultord");
  return has_owner != 0;
}

base::Result<std::string> BusClient::describe() { return call_for_text(bus_.get(), gateway, "Describe"); }
base::Result<std::string> BusClient::gate_statistics() { return call_for_text(bus_.get(), gateway, "GateStatistics"); }
base::Result<std::string> BusClient::ruleset() { return call_for_text(bus_.get(), gateway, "Ruleset"); }
base::Result<std::string> BusClient::cache_statistics() { return call_for_text(bus_.get(), cache, "Statistics"); }

base::Result<Answered> BusClient::ask(const char* method, const std::vector<std::string>& arguments,
                                      std::optional<std::uint32_t> first) {
  return ask_service(bus_.get(), gateway, method, arguments, first);
}
base::Result<Answered> BusClient::purge(const std::string& what) {
  return ask_service(bus_.get(), cache, "Purge", {what}, std::nullopt);
}

base::Result<std::vector<std::string>> BusClient::call_for_lines(const char* method) {
  BusError error;
  sd_bus_message* raw = nullptr;
  int r = sd_bus_call_method(bus_.get(), gateway.name, gateway.path, gateway.interface, method, error.get(), &raw, "");
  const Message reply(raw);
  if (r < 0) return failure(gateway, r, error);
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

base::Result<std::optional<std::string>> BusClient::reload() {
  BusError error;
  const int r = sd_bus_call_method(bus_.get(), gateway.name, gateway.path, gateway.interface, "Reload", error.get(), nullptr, "");
  if (error.name() == "org.schultor.Gateway1.Error.ConfigurationRefused") return std::string(error.message());
  if (r < 0) return failure(gateway, r, error);
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
