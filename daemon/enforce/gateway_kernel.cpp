// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// What the kernel is to be like beside the ruleset: its settings, and room in its table of connections.
#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/enforce/gateway_impl.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <system_error>
#include <variant>

namespace schultor::enforce {
namespace {

using base::Priority;
namespace message_id = base::message_id;

/// Not at once: a start of the machine switches forwarding on when the first commit is made.
constexpr std::chrono::seconds first_look{2};
constexpr std::chrono::seconds look_again{10};
/// In between strangers add no more than a few thousand connections.
constexpr std::chrono::seconds look_at_room{1};
/// For so long strangers are held off without another word of ours: a turn of the loop may come late.
constexpr std::chrono::seconds held_off{5};

std::optional<SettingValue> read_setting(const std::string& path) {
  std::ifstream file("/proc/sys/" + path);
  std::string word;
  if (!(file >> word)) return std::nullopt;
  std::int64_t number = 0;
  const auto* end = word.data() + word.size();
  const auto [rest, fault] = std::from_chars(word.data(), end, number);
  if (fault == std::errc() && rest == end) return number;
  return word;
}

std::optional<std::int64_t> read_number(const std::string& path) {
  const auto value = read_setting(path);
  const auto* number = value ? std::get_if<std::int64_t>(&*value) : nullptr;
  return number != nullptr ? std::optional(*number) : std::nullopt;
}

/// Settings of the network may be written by who has CAP_NET_ADMIN (net_ctl_permissions() in the kernel); this one in the machine's
/// own network namespace alone. Where it cannot be, it is told of as wrong.
void make_room(std::int64_t wanted) {
  if (const auto most = read_number(most_connections); most && *most < wanted)
    std::ofstream(std::string("/proc/sys/") + most_connections) << wanted << std::flush;
}

std::string text_of(const ConnectionTable& table) { return fmt::format("the table of connections is {} % full", table.percent()); }

}  // namespace

void Gateway::Impl::watch_kernel() {
  auto source = loop.after(first_look, [this] {
    kernel_watch.restart(look_again);
    look_at_settings();
    look_at_counters();
  });
  if (source) kernel_watch = std::move(*source);
  else log(Priority::error, {}, source.error().what());
  auto room = loop.after(look_at_room, [this] {
    connections_watch.restart(look_at_room);
    look_at_connections();
  });
  if (room) connections_watch = std::move(*room);
  else log(Priority::error, {}, room.error().what());
}

void Gateway::Impl::look_at_settings() {
  make_room(connections_for(current.policy->devices.size()));
  auto wrong =
      wrong_settings(settings_for(current.lan_interfaces, current.wan_interface, current.policy->devices.size()), read_setting);
  if (settings_wrong && *settings_wrong == wrong) return;
  const auto is_new = [&](const WrongSetting& one) {
    return !settings_wrong || std::find(settings_wrong->begin(), settings_wrong->end(), one) == settings_wrong->end();
  };
  for (const auto& one : wrong)
    if (is_new(one))
      log(Priority::warning, message_id::kernel_setting,
          fmt::format("{}: “{}” sets it, and look in /etc/sysctl.d for what sets it otherwise", to_string(one), one.remedy));
  if (wrong.empty() && settings_wrong)
    log(Priority::notice, message_id::kernel_setting, "The kernel's settings are as they are to be");
  settings_wrong = std::move(wrong);
  tell_changed();
}

void Gateway::Impl::look_at_connections() {
  const auto tracked = read_number(tracked_connections);
  const auto most = read_number(most_connections);
  if (!tracked || !most) return;
  connections = {*tracked, *most};
  hold_strangers_off(*connections);
  const auto change = connections_fill.look(*connections);
  if (change == FillWatch::Change::none) return;
  const auto text = text_of(*connections);
  if (change == FillWatch::Change::filled) {
    log(Priority::warning, message_id::connections_full, fmt::format("{}: beyond it new connections are dropped", text));
    raise(clock->now(), fault_event(*current.policy, clock->now(), "connections", text));
  } else {
    log(Priority::notice, message_id::connections_full, text);
  }
  tell_changed();
}

void Gateway::Impl::hold_strangers_off(const ConnectionTable& table) {
  const auto change = connections_crowd.look(table);
  if (change == FillWatch::Change::filled)
    log(Priority::warning, message_id::connections_full,
        fmt::format("{}: the rest is for devices that the roster names, others begin no connections", text_of(table)));
  if (change == FillWatch::Change::emptied)
    log(Priority::notice, message_id::connections_full, fmt::format("{}: there is room for all devices again", text_of(table)));
  if (!connections_crowd.is_full()) return;
  if (auto held = enforcer.crowd(held_off); !held)
    log(Priority::error, message_id::kernel_refused, fmt::format("Strangers are not held off: {}", held.error().what()));
}

}  // namespace schultor::enforce
