// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/bus/cache_service.hpp"

#include "daemon/bus/authority.hpp"

#include <systemd/sd-bus.h>

#include <cerrno>
#include <utility>

namespace schultor::bus {
namespace {

constexpr const char* bus_name = "org.schultor.Cache1";
constexpr const char* root_path = "/org/schultor/Cache1";
constexpr const char* cache_interface = "org.schultor.Cache1";
constexpr const char* refused = "org.schultor.Cache1.Error.Refused";
constexpr std::size_t longest_argument = 16 * std::size_t{1024};

struct FlushClose {
  void operator()(sd_bus* bus) const noexcept { sd_bus_flush_close_unref(bus); }
};

struct Offer {
  CacheService::Commands commands;
  Authority authority;
};

Offer& offer_of(void* userdata) { return *static_cast<Offer*>(userdata); }

int on_statistics(sd_bus_message* call, void* userdata, sd_bus_error*) {
  return sd_bus_reply_method_return(call, "s", offer_of(userdata).commands.statistics().c_str());
}

/// Answers the call whenever there is an answer.
CacheService::Answer answer_to(sd_bus_message* call) {
  const std::shared_ptr<sd_bus_message> held(sd_bus_message_ref(call), [](sd_bus_message* one) { sd_bus_message_unref(one); });
  return [held](const base::Result<std::string>& done) {
    if (done) sd_bus_reply_method_return(held.get(), "s", done->c_str());
    else sd_bus_reply_method_errorf(held.get(), refused, "%s", done.error().what().c_str());
  };
}

int on_purge(sd_bus_message* call, void* userdata, sd_bus_error* error) {
  auto& offer = offer_of(userdata);
  const char* text = nullptr;
  if (const int r = sd_bus_message_read_basic(call, 's', &text); r <= 0) return r < 0 ? r : -EINVAL;
  const std::string what = text;
  if (what.size() > longest_argument)
    return sd_bus_error_setf(error, refused, "the address is longer than %zu octets", longest_argument);
  const auto purge = [&offer, what](sd_bus_message* allowed, const std::string&) {
    offer.commands.purge(what, answer_to(allowed));
    return 1;
  };
  return offer.authority.require(call, Right::maintain, {{"what", what}}, purge, error);
}

// clang-format off
const sd_bus_vtable vtable[] = {
  SD_BUS_VTABLE_START(0),
  SD_BUS_METHOD("Statistics", "", "s", on_statistics, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD("Purge", "s", "s", on_purge, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_VTABLE_END,
};
// clang-format on

}  // namespace

struct CacheService::Impl {
  Impl(sd_bus* connection, Commands commands) : bus(connection), offer{std::move(commands), Authority(connection)} {}

  std::unique_ptr<sd_bus, FlushClose> bus;
  Offer offer;  // goes before the bus does
};

CacheService::CacheService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CacheService::~CacheService() = default;

base::Result<std::unique_ptr<CacheService>> CacheService::create(base::EventLoop& loop, Commands commands) {
  sd_bus* bus = nullptr;
  int r = sd_bus_open_system(&bus);
  auto impl = std::make_unique<Impl>(bus, std::move(commands));
  if (r < 0) return base::fail_errno(-r, "connecting to the system bus");
  r = sd_bus_add_object_vtable(bus, nullptr, root_path, cache_interface, vtable, &impl->offer);
  if (r >= 0) r = sd_bus_set_exit_on_disconnect(bus, 1);
  if (r >= 0) r = sd_bus_attach_event(bus, loop.native(), SD_EVENT_PRIORITY_NORMAL);
  if (r < 0) return base::fail_errno(-r, "offering the D-Bus service");
  r = sd_bus_request_name(bus, bus_name, 0);
  if (r < 0)
    return base::fail_errno(
        -r, fmt::format("owning {} (is its policy file in /usr/share/dbus-1/system.d, and no second schultor-origin running?)",
                        bus_name));
  return std::unique_ptr<CacheService>(new CacheService(std::move(impl)));
}

}  // namespace schultor::bus
