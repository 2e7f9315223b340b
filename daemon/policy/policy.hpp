// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"
#include "daemon/base/port_range.hpp"
#include "daemon/policy/cache_rules.hpp"
#include "daemon/policy/gate_rules.hpp"

#include <date/date.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace date {
class time_zone;
}

namespace schultor::policy {

/// A recurring span of wall-clock time on some days of the week.
struct Window {
  std::uint8_t weekdays = 0;      ///< bit 0 Monday … bit 6 Sunday
  std::chrono::minutes start{0};  ///< since 00:00
  std::chrono::minutes end{0};    ///< up to 24:00; before `start`: runs past midnight
  std::string text;               ///< as written
  Source source;
};

/// A date that a calendar makes a holiday.
struct Holiday {
  date::local_days date;
  std::string text;  ///< the event's summary
  Source source;     ///< the event in its calendar
};

/// A date's own windows; none: the date is a holiday.
struct Day {
  date::local_days date;
  std::vector<Window> windows;  ///< every day's
  Source source;
};

struct Schedule {
  std::string name;
  std::vector<Window> windows;
  std::string during;
  std::string otherwise;
  Source otherwise_source;
  Source source{};                   ///< where it names `during`
  std::string holidays{};            ///< the profile of holidays
  std::vector<Day> days{};           ///< in the order of their dates, each date once
  std::vector<Holiday> free_days{};  ///< in the order of their dates, each date once
};

/// What is written down in so many words, and where.
template <typename T>
struct Written {
  T value;
  Source source;
};

enum class Ownership : std::uint8_t { school, byod, staff };

struct Group {
  std::string name;
  std::optional<std::size_t> schedule;  ///< index into Policy::schedules; else `fixed_profile`
  std::string fixed_profile;
  Ownership ownership = Ownership::school;
  bool unknown = false;  ///< exactly one: devices that nothing else names
  /// The unknown group: a school-owned group's override that is stricter than what holds here, holds here too. One that has
  /// neither schedule nor profile has the strictest profile that any school-owned group has.
  bool strictest = false;
  std::vector<Written<base::Prefix>> prefixes;  ///< may lie in one of another group: the longest counts
  std::vector<Written<std::string>> interfaces;
  Source source;
};

/// Whether names of kept origins of scope "school" lead a group's tablets to the box: school-owned ones alone have its certificate
/// authority. What nothing names may be anybody's.
[[nodiscard]] constexpr bool steers(const Group& group) { return group.ownership == Ownership::school && !group.unknown; }

/// A device of the roster.
struct Device {
  base::Mac mac;
  std::size_t group = 0;  ///< index into Policy::groups
  Source source;
};

/// Addresses that an endpoint list names as the cloud's: open always, by whatever name or none.
struct CloudRange {
  base::Prefix prefix;
  base::PortRange ports;

  auto operator<=>(const CloudRange&) const = default;
};

/// What the box is to its networks, besides gate and rules.
struct Network {
  std::string wan_interface;
  bool masquerade = true;                ///< IPv4 leaves by it with its address
  bool offload = true;                   ///< connections to the cloud pass the rules by, where the kernel can do that
  std::vector<base::Prefix> inside;      ///< private and special networks, and the school's own
  std::vector<base::Prefix> reachable;   ///< of these, what open profiles may reach without a name
  std::vector<base::Prefix> management;  ///< from where the box is managed; none: from its console alone
  std::vector<std::uint16_t> management_ports;
  bool operator==(const Network&) const = default;
};

/// Everything that decides, compiled from a configuration directory that holds no error. Immutable.
struct Policy {
  std::string school;
  std::uint64_t revision = 0;  ///< of city.toml
  std::string timezone;
  const date::time_zone* zone = nullptr;  ///< of the tz database, never null
  std::vector<Schedule> schedules;
  std::vector<Group> groups;
  std::vector<Device> devices;           ///< in the order of their addresses
  GateRules gate;                        ///< `views` is left empty: view numbers are given at run time
  std::vector<CloudRange> cloud_ranges;  ///< in order, each once
  bool bypass = false;                   ///< [never] bypass
  /// Ports that carry tunnels, proxies and other resolvers, by the profile in which they are closed. A profile that is not among
  /// them closes none, and no protocol either.
  std::map<std::string, std::vector<base::PortRange>> closed_services;
  std::vector<base::Prefix> never_networks;  ///< addresses of resolvers and tunnels, closed with `bypass`
  Network network;
  std::optional<CacheRules> cache;  ///< none: nothing is kept, since [cache] or [[origin]] is missing
  std::string untrusted;            ///< [clock] untrusted; empty: each schedule's `during`
  Source untrusted_source;
  bool opens_on_stop = false;  ///< [service] on_stop = "open": a stop for service opens what the city's widest profile opens
  Source on_stop_source;       ///< "built-in" where nobody said
  std::chrono::seconds longest_override{0};  ///< from when it is set to its end
  Source longest_override_source;            ///< "built-in" where nobody said

  [[nodiscard]] const Group* find_group(std::string_view name) const;
  /// Null where there is none of that name.
  [[nodiscard]] const ProfileNames* find_profile(std::string_view name) const;
  /// Null for a device that the roster does not name, also below.
  [[nodiscard]] const Device* find_device(const base::Mac& mac) const;
  [[nodiscard]] const Group* group_of(const base::Mac& mac) const;
  [[nodiscard]] const Group& unknown_group() const;
};

}  // namespace schultor::policy
