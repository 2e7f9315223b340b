// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"
#include "daemon/base/port_range.hpp"
#include "daemon/config/calendar.hpp"
#include "daemon/config/diagnostic.hpp"
#include "daemon/config/endpoints.hpp"

#include <date/date.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the configuration directory says, file by file, each value with the place it is written at. Nothing is
/// resolved yet: a group names its schedule, and whether there is one is for daemon/policy to say.
namespace schultor::config {

/// A value and where it is written.
template <typename T>
struct Located {
  T value{};
  Source source;
};
using Text = Located<std::string>;

/// [operations]: the city's MQTT broker, over TLS alone. Paths are absolute, or relative to systemd's credentials directory.
struct Operations {
  std::string host;
  std::uint16_t port = 0;
  std::string ca;
  std::string certificate;
  std::string key;
  Source source;
};

/// [cache]: where content is kept.
struct Cache {
  std::string directory;
  std::uint64_t size = 0;        ///< octets that it may take
  std::uint64_t least_free = 0;  ///< [cache] free: octets that its file system keeps free
  Source source;
};

/// [management]: who may reach the box itself, from any side. No prefixes: nobody, but from its console.
struct Management {
  std::vector<Located<base::Prefix>> prefixes;
  std::vector<Located<std::uint16_t>> ports;  ///< TCP; none said: ssh's
  Source source;
};

/// What a stop for service does to tablets; a crash is none, and neither is a restart.
enum class OnStop : std::uint8_t {
  hold,  ///< what holds goes on being held
  open,  ///< every group has the least strict open profile of the city's
};

/// gateway.toml: the box. What the command did not ask for (Need) may be empty.
struct Gateway {
  Text school;
  Text timezone;
  std::vector<Text> lan_interfaces;
  std::vector<Located<base::InterfaceAddress>> lan_addresses;
  std::vector<Located<base::Prefix>> reachable;  ///< [lan] reachable: private networks that open profiles may reach
  Located<bool> offload{true, {}};  ///< [lan] offload: connections to the cloud pass the rules by, where the kernel can do that
  Text wan_interface;
  Located<bool> masquerade{true, {}};  ///< [wan] masquerade: IPv4 leaves with the address of the interface
  std::optional<Management> management;
  std::optional<Located<base::Endpoint>> resolver;
  std::vector<Text> local_zones;  ///< [resolver] local: names that the resolver knows inside
  std::optional<Cache> cache;
  std::optional<Operations> operations;
  std::optional<Text> untrusted_profile;   ///< [clock] untrusted: what holds before the clock is known to be right
  std::optional<Located<OnStop>> on_stop;  ///< [service] on_stop
};

/// A window of a schedule: [start, end) in wall-clock time.
struct Window {
  std::uint8_t weekdays = 0;      ///< bit 0 Monday … bit 6 Sunday
  std::chrono::minutes start{0};  ///< since 00:00, below 24:00
  std::chrono::minutes end{0};    ///< up to 24:00; before `start`: runs past midnight
  std::string text;               ///< as written
  Source source;
};

/// An entry of `calendars`: a file, and which of its events are holidays.
struct CalendarUse {
  Text file;                 ///< relative to the directory: "calendars/nrw.ics"
  std::vector<Text> only;    ///< globs on summary and categories; empty: all events
  std::vector<Text> except;  ///< globs: these are none
  EventEnd end = EventEnd::by_evidence;
  std::size_t calendar = 0;  ///< index into Config::calendars
};

struct Schedule {
  Text name;
  std::vector<Window> windows;
  Text during;
  Text otherwise;
  std::optional<Text> holidays;  ///< the profile of holidays; none: `otherwise`
  std::vector<CalendarUse> calendars;
};

/// [[day]]: a date's own windows.
struct Day {
  Located<date::local_days> date;  ///< in a draft with errors it may be missing, and has line 0
  std::optional<Text> schedule;    ///< none: all schedules
  std::vector<Window> windows;     ///< every day's; none: a holiday
};

enum class Access : std::uint8_t { listed, open };

/// Ordered by strictness.
enum class YouTube : std::uint8_t { off, moderate, strict };

/// safe_search and youtube, as they are written.
struct SafeSearch {
  std::optional<Located<bool>> engines;
  std::optional<Located<YouTube>> videos;

  [[nodiscard]] bool search() const { return engines && engines->value; }
  /// What is not said of it follows safe_search.
  [[nodiscard]] YouTube youtube() const { return videos ? videos->value : search() ? YouTube::moderate : YouTube::off; }
  [[nodiscard]] std::optional<Source> source() const {
    if (engines) return engines->source;
    return videos ? std::optional(videos->source) : std::nullopt;
  }
};

struct Profile {
  Text name;
  Access access = Access::listed;
  std::vector<Text> allow;
  std::vector<Text> block;
  std::vector<Text> block_categories;
  SafeSearch safe_search;
  std::vector<Located<base::PortRange>> services;  ///< ports that are closed unless a profile names them
};

/// [override]: bounds of what may be set by hand.
struct OverrideLimits {
  std::optional<Located<std::chrono::seconds>> longest;  ///< from now to an override's end
};

/// An entry of [cloud] endpoints.
struct EndpointList {
  Text file;  ///< relative to the directory: "endpoints/m365.json"
  EndpointSelection selection;
  std::vector<Endpoint> endpoints;
};

/// [[list]]: a block list that is downloaded day by day.
struct BlockList {
  Text name;                   ///< the category that it is: at most 32 of a-z, 0-9, - and _
  Text url;                    ///< https
  std::optional<Text> format;  ///< "domains", "hosts", "adblock" or "rpz"; none: its contents tell
};

/// The host of an https address, an IPv6 one in brackets; empty where it has none.
[[nodiscard]] std::string_view host_of_url(std::string_view url);

/// Those of city and school together.
inline constexpr std::size_t most_block_lists = 64;

/// [[origin.path]]
struct OriginPath {
  Text path;
  bool cache = true;
  std::optional<std::chrono::seconds> fresh;
};

/// [[origin]]: a site of the cloud whose content is kept on the premises.
struct Origin {
  std::optional<Text> name;  ///< none: after the first of `names`
  std::vector<Text> names;
  bool http = false;
  bool https = false;
  bool for_all = false;  ///< scope = "all"; else school-owned tablets alone
  std::uint64_t largest = 0;
  std::chrono::seconds longest{0};
  std::vector<OriginPath> paths;
  Source source;
};

/// city.toml: the floor for all schools.
struct City {
  Located<std::uint64_t> revision;
  std::vector<Text> cloud_domains;
  std::vector<EndpointList> cloud_endpoints;
  std::vector<Text> never_domains;
  std::vector<Text> never_categories;
  Located<bool> bypass;
  std::vector<Profile> profiles;
  std::vector<Schedule> schedules;
  OverrideLimits overrides;
  std::vector<BlockList> lists;
  std::vector<Origin> origins;
};

enum class Ownership : std::uint8_t { school, byod, staff };

struct Group {
  Text name;
  std::optional<Text> schedule;  ///< this or `profile`, never both; the unknown group may have neither
  std::optional<Text> profile;
  Ownership ownership = Ownership::school;
  bool unknown = false;
  bool strictest = true;  ///< unknown group only: an override of a school-owned group that is stricter holds here too
  std::vector<Located<base::Prefix>> prefixes;
  std::vector<Text> interfaces;
};

/// [extend.PROFILE]: what the school adds to a city profile.
struct Extension {
  Text profile;
  std::vector<Text> allow;
  std::vector<Text> block;
  std::vector<Text> block_categories;
  SafeSearch safe_search;
};

/// school.toml
struct School {
  std::vector<Group> groups;
  std::vector<Profile> profiles;
  std::vector<Schedule> schedules;
  std::vector<Extension> extensions;
  std::vector<Day> days;
  OverrideLimits overrides;
  std::vector<BlockList> lists;
  std::vector<Origin> origins;
};

/// A line of roster.csv.
struct RosterEntry {
  base::Mac mac;
  Text group;
  std::string name;  ///< the device's label; may be empty
};

/// A list that is there, or is to be downloaded, by the name that categories are called by.
struct NamedList {
  std::string name;
  std::vector<std::string> files;  ///< as messages name them: "lists/games/domains"
  bool awaited = false;            ///< it is to be downloaded, and was not yet
};

struct Config {
  Gateway gateway;
  City city;
  School school;
  std::vector<RosterEntry> roster;
  std::vector<std::vector<CalendarEvent>> calendars;  ///< what the schedules' calendars hold, each file and reading once
  /// In the order of their names. None: nobody has looked, and any category may be one.
  std::optional<std::vector<NamedList>> lists;
};

}  // namespace schultor::config
