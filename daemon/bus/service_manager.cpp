// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/bus/service_manager.hpp"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

namespace schultor::bus {
namespace {

constexpr const char* systemd = "org.freedesktop.systemd1";
constexpr const char* manager_path = "/org/freedesktop/systemd1";
constexpr const char* manager_interface = "org.freedesktop.systemd1.Manager";
constexpr std::uint64_t patience = 2'000'000;  // microseconds

struct Unref {
  void operator()(sd_bus_message* message) const noexcept { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, Unref>;

std::optional<std::string> text_property(sd_bus* bus, const std::string& path, const char* interface, const char* name) {
  char* text = nullptr;
  if (sd_bus_get_property_string(bus, systemd, path.c_str(), interface, name, nullptr, &text) < 0) return std::nullopt;
  std::string value(text);
  std::free(text);
  return value;
}

/// The object of this process's unit. Empty, and `nobody` set, where nobody is systemd.
std::string own_unit(sd_bus* bus, bool& nobody) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* answer = nullptr;
  const char* path = nullptr;
  int r = sd_bus_call_method(bus, systemd, manager_path, manager_interface, "GetUnitByPID", &error, &answer, "u", 0);
  const Message held(answer);
  nobody = sd_bus_error_has_name(&error, SD_BUS_ERROR_SERVICE_UNKNOWN) != 0;
  sd_bus_error_free(&error);
  if (r >= 0) r = sd_bus_message_read(answer, "o", &path);
  return r < 0 ? std::string{} : std::string(path);
}

/// "stop", "restart", …; empty where there is none, as for a signal sent by hand.
std::string job_of(sd_bus* bus, const std::string& unit) {
  sd_bus_message* answer = nullptr;
  std::uint32_t id = 0;
  const char* path = nullptr;
  int r = sd_bus_get_property(bus, systemd, unit.c_str(), "org.freedesktop.systemd1.Unit", "Job", nullptr, &answer, "(uo)");
  const Message held(answer);
  if (r >= 0) r = sd_bus_message_read(answer, "(uo)", &id, &path);
  if (r < 0 || id == 0) return {};
  return text_property(bus, path, "org.freedesktop.systemd1.Job", "JobType").value_or("");
}

}  // namespace

bool is_stopped_for_good(sd_bus* bus) {
  sd_bus_set_method_call_timeout(bus, patience);
  bool nobody = false;
  const auto unit = own_unit(bus, nobody);
  if (unit.empty()) return nobody;
  return job_of(bus, unit) == "stop" &&
         text_property(bus, manager_path, manager_interface, "SystemState").value_or("stopping") != "stopping";
}

}  // namespace schultor::bus
