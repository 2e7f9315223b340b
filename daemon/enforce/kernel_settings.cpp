// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/kernel_settings.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace schultor::enforce {
namespace {

using Bound = Setting::Bound;

constexpr std::int64_t least_connections = 262'144;
constexpr std::int64_t connections_of_a_device = 200;
/// What some devices that have as many as the ruleset lets them take together: 42 of 3,000.
constexpr std::int64_t connections_of_floods = 128'000;

/// Of one interface. What the kernel takes of it together with “all” is to be right in both.
void add_interface(std::vector<Setting>& settings, const std::string& name, Bound reverse_path) {
  const auto add = [&](const char* family, const char* what, Bound bound, std::int64_t value) {
    settings.push_back({fmt::format("net/{}/conf/{}/{}", family, name, what), bound, value, true});
  };
  add("ipv4", "rp_filter", reverse_path, 1);
  add("ipv4", "send_redirects", Bound::exactly, 0);
  add("ipv6", "accept_redirects", Bound::exactly, 0);
}

bool holds(const Setting& setting, const SettingValue& found) {
  const auto *number = std::get_if<std::int64_t>(&found), *wanted = std::get_if<std::int64_t>(&setting.value);
  if (number == nullptr || wanted == nullptr) return found == setting.value;
  switch (setting.bound) {
    case Bound::exactly:
      return *number == *wanted;
    case Bound::at_least:
      return *number >= *wanted;
    case Bound::at_most:
      return *number <= *wanted;
  }
  return false;
}

std::string name_of(std::string path) {
  if (path.find('.') == std::string::npos) std::replace(path.begin(), path.end(), '/', '.');
  return path;
}

std::string text_of(const SettingValue& value) {
  const auto* number = std::get_if<std::int64_t>(&value);
  return number != nullptr ? std::to_string(*number) : std::get<std::string>(value);
}

std::string expected_of(const Setting& setting) {
  constexpr const char* words[] = {"", "at least ", "at most "};
  return words[static_cast<std::size_t>(setting.bound)] + text_of(setting.value);
}

}  // namespace

std::int64_t connections_for(std::size_t devices) {
  return std::max(least_connections, connections_of_floods + connections_of_a_device * static_cast<std::int64_t>(devices));
}

std::vector<Setting> settings_for(const std::vector<std::string>& lan_interfaces, const std::string& wan_interface,
                                  std::size_t devices) {
  std::vector<Setting> settings{
      {"net/ipv4/ip_forward", Bound::exactly, 1, false},
      {"net/ipv6/conf/all/forwarding", Bound::exactly, 1, true},
      {"net/ipv4/tcp_fwmark_accept", Bound::exactly, 1, false},
      // The stricter of “all” and an interface's holds, and 2 is loose.
      {"net/ipv4/conf/all/rp_filter", Bound::at_most, 1, false},
      {"net/ipv4/conf/all/send_redirects", Bound::exactly, 0, false},
      // Of a machine that forwards, these hold only where “all” and the interface agree.
      {"net/ipv4/conf/all/accept_redirects", Bound::exactly, 0, false},
      {"net/ipv4/conf/all/accept_source_route", Bound::exactly, 0, false},
      {"net/ipv6/conf/all/accept_source_route", Bound::at_most, 0, true},
      {"net/ipv4/icmp_ratelimit", Bound::exactly, 0, false},
      {"net/ipv6/icmp/ratelimit", Bound::exactly, 0, true},
      // Not "unreachable", of which a refusal is one.
      {"net/ipv4/icmp_ratemask", Bound::exactly, 6160, false},
      {"net/ipv6/icmp/ratemask", Bound::exactly, "0,3-127", true},
      {most_connections, Bound::at_least, connections_for(devices), false},
  };
  for (const auto& name : lan_interfaces) add_interface(settings, name, Bound::exactly);
  // Towards the internet there may be two ways: loose is enough.
  if (!wan_interface.empty()) add_interface(settings, wan_interface, Bound::at_least);
  return settings;
}

std::vector<WrongSetting> wrong_settings(const std::vector<Setting>& settings, const ReadSetting& read) {
  std::vector<WrongSetting> wrong;
  for (const auto& setting : settings) {
    const auto found = read(setting.path);
    if (found ? holds(setting, *found) : setting.may_be_absent) continue;
    const auto name = name_of(setting.path);
    wrong.push_back({name, found, expected_of(setting), fmt::format("sysctl -w {}={}", name, text_of(setting.value))});
  }
  return wrong;
}

std::string to_string(const WrongSetting& wrong) {
  if (!wrong.found) return fmt::format("{} is not there, expected {}", wrong.name, wrong.expected);
  return fmt::format("{} is {}, expected {}", wrong.name, text_of(*wrong.found), wrong.expected);
}

FillWatch::Change FillWatch::look(const ConnectionTable& table) {
  const int percent = table.percent();
  if (!full_ && percent >= most_) {
    full_ = true;
    return Change::filled;
  }
  if (full_ && percent < most_ - clearly) {
    full_ = false;
    return Change::emptied;
  }
  return Change::none;
}

}  // namespace schultor::enforce
