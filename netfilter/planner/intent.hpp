// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"
#include "daemon/base/port_range.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// What the ruleset is to bring about, in words of the network: who belongs to which group, what holds
/// for each group, where the cloud is. Nothing in here knows a school, an hour or a name.
namespace schultor::netfilter::planner {

/// Stands in the upper half of packet marks and stamps: 1 to 0xfffe. 0 is nobody, 0xffff is the cloud's.
using GroupNumber = std::uint16_t;
/// Counts the policies a group has had; stands in the lower half of a stamp. 0 is never in force.
using Generation = std::uint16_t;
/// What the DNS gate answers by; arrives there in the packet mark. 0 is no view.
using ViewNumber = std::uint32_t;

/// A profile: a chain of the ruleset, and for a listed one two sets of addresses and a conntrack label.
struct Profile {
  std::string name;        ///< [a-z0-9_-]+, at most 32 characters; '-' becomes '_' in names of the ruleset
  bool listed = false;     ///< listed: only pinned addresses; else everything but the never-list
  std::uint8_t label = 0;  ///< listed only: bit of the conntrack label, 1 to 127, that remembers an admission
  /// Networks that are never admitted in it. There, also empty: the ruleset has sets for them, so that others are but elements.
  std::optional<std::vector<base::Prefix>> blocked{};
  /// Ports that are never admitted in it, for tunnels and proxies. There, also empty: nor is any protocol but TCP, UDP and echo.
  std::optional<std::vector<base::PortRange>> closed{};
  bool operator==(const Profile&) const = default;
};

/// What holds for a group now.
struct Group {
  GroupNumber number = 0;
  std::string profile;
  ViewNumber view = 0;
  Generation generation = 0;
  bool operator==(const Group&) const = default;
};

/// A published range of the cloud, open without a name.
struct Service {
  base::Prefix prefix;
  std::uint8_t protocol = 0;  ///< IPPROTO_TCP or IPPROTO_UDP
  std::uint16_t first_port = 0;
  std::uint16_t last_port = 0;
  bool operator==(const Service&) const = default;
};

/// Who manages the box itself, from any side.
struct Management {
  std::vector<base::Prefix> prefixes;
  std::vector<std::uint16_t> ports;  ///< TCP
  bool operator==(const Management&) const = default;
};

/// What the box answers itself, of what is sent to its own addresses on TCP 80 and 443.
struct Web {
  std::vector<base::Address> addresses;  ///< its own, where devices reach it
  std::vector<GroupNumber> terminating;  ///< whose TLS ends here; everybody else's is passed on as it is
  bool operator==(const Web&) const = default;
};

struct Intent {
  std::vector<std::string> lan_interfaces;
  std::map<base::Mac, GroupNumber> devices;
  std::map<base::Prefix, GroupNumber> prefixes;  ///< must not overlap one another
  std::map<std::string, GroupNumber> links;      ///< interface → group of the devices that nothing else names
  std::vector<Profile> profiles;
  std::vector<Group> groups;
  std::vector<Service> cloud_services;
  std::vector<base::Prefix> never;  ///< never open, the cloud excepted
  /// Private and special networks: open where a listed profile has an address pinned, else never; without the ones in `reachable`.
  std::vector<base::Prefix> inside;
  std::vector<base::Prefix> reachable;
  std::vector<std::string> masqueraded;  ///< interfaces by which IPv4 leaves with the interface's address
  Management management;
  std::optional<Web> web;  ///< none: nothing answers there
  /// Interfaces by which connections to the cloud are forwarded past the rules: only ones that exist, and none where the kernel has
  /// no flowtables.
  std::vector<std::string> offloaded;
  bool operator==(const Intent&) const = default;
};

/// An address that the gate is about to hand out, to be opened for `lifetime`.
struct Pin {
  base::Address address;
  std::string profile;  ///< the listed profile that allows it; empty: the cloud, on `ports`
  std::chrono::seconds lifetime{0};
  /// The cloud's alone. An element of the set for each port: sets whose elements have timeouts of their own hold no ranges, so
  /// that whoever fills this in bounds it.
  std::vector<base::PortRange> ports{};
  bool operator==(const Pin&) const = default;
};

}  // namespace schultor::netfilter::planner
