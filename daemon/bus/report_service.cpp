// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/bus/report_service.hpp"

#include <systemd/sd-bus.h>

#include <utility>

namespace schultor::bus {
namespace {

constexpr const char* bus_name = "org.schultor.Report1";
constexpr const char* root_path = "/org/schultor/Report1";
constexpr const char* report_interface = "org.schultor.Report1";

struct FlushClose {
  void operator()(sd_bus* bus) const noexcept { sd_bus_flush_close_unref(bus); }
};

int get_connected(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* userdata, sd_bus_error*) {
  return sd_bus_message_append(reply, "b", static_cast<int>(static_cast<ReportService::Facts*>(userdata)->broker_connected));
}
int get_depth(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* userdata, sd_bus_error*) {
  return sd_bus_message_append(reply, "u", static_cast<ReportService::Facts*>(userdata)->outbox_depth);
}

// clang-format off
const sd_bus_vtable vtable[] = {
  SD_BUS_VTABLE_START(0),
  SD_BUS_PROPERTY("BrokerConnected", "b", get_connected, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
  SD_BUS_PROPERTY("OutboxDepth", "u", get_depth, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
  SD_BUS_VTABLE_END,
};
// clang-format on

}  // namespace

struct ReportService::Impl {
  Facts facts;
  std::unique_ptr<sd_bus, FlushClose> bus{};
};

ReportService::ReportService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ReportService::~ReportService() = default;

base::Result<std::unique_ptr<ReportService>> ReportService::create(base::EventLoop& loop, Facts facts) {
  auto impl = std::make_unique<Impl>(Impl{facts});
  sd_bus* bus = nullptr;
  int r = sd_bus_open_system(&bus);
  impl->bus.reset(bus);
  if (r < 0) return base::fail_errno(-r, "connecting to the system bus");
  r = sd_bus_add_object_vtable(bus, nullptr, root_path, report_interface, vtable, &impl->facts);
  if (r >= 0) r = sd_bus_set_exit_on_disconnect(bus, 1);
  if (r >= 0) r = sd_bus_attach_event(bus, loop.native(), SD_EVENT_PRIORITY_NORMAL);
  if (r < 0) return base::fail_errno(-r, "offering the D-Bus service");
  r = sd_bus_request_name(bus, bus_name, 0);
  if (r < 0)
    return base::fail_errno(
        -r, fmt::format("owning {} (is its policy file in /usr/share/dbus-1/system.d, and no second schultor-report running?)",
                        bus_name));
  return std::unique_ptr<ReportService>(new ReportService(std::move(impl)));
}

void ReportService::update(Facts facts) {
  const Facts before = std::exchange(impl_->facts, facts);
  if (before.broker_connected != facts.broker_connected)
    sd_bus_emit_properties_changed(impl_->bus.get(), root_path, report_interface, "BrokerConnected", nullptr);
  if (before.outbox_depth != facts.outbox_depth)
    sd_bus_emit_properties_changed(impl_->bus.get(), root_path, report_interface, "OutboxDepth", nullptr);
}

}  // namespace schultor::bus
