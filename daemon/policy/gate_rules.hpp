// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"
#include "daemon/base/port_range.hpp"
#include "daemon/base/result.hpp"
#include "daemon/lists/digest.hpp"
#include "daemon/lists/hits.hpp"
#include "daemon/policy/categories.hpp"
#include "daemon/policy/name_patterns.hpp"
#include "daemon/policy/rewrites.hpp"
#include "daemon/policy/scope.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The part of the policy that the DNS gate answers by: names, no groups, no devices, no hours.
namespace schultor::policy {

/// A profile's rules for names.
struct ProfileNames {
  std::string name;
  bool listed = false;      ///< default: refuse; else allow
  NamePatterns city_block;  ///< before the profile's own lists: a school's additions never beat it
  NamePatterns city_allow;  ///< of `allow`, what the city itself wrote: more specific, it is an exception from `city_block`
  NamePatterns allow;
  NamePatterns block;
  Categories city_block_lists;  ///< as city_block
  Categories block_lists;       ///< as block
  Source source;                ///< where the profile is written
  SafeSearch safe_search;
  Source safe_search_source;  ///< where it is asked for
};

/// A view is what a question is answered by: a profile, and whether cached origins are steered to the local cache.
struct View {
  std::size_t profile = 0;  ///< index into GateRules::profiles
  bool steer = false;
};

enum class Verdict : std::uint8_t { allow, refuse };

/// A verdict, and the rule that it comes from.
struct Judgement {
  Verdict verdict = Verdict::refuse;
  /// cloud | never | city-block | allow | block | default
  std::string_view because;
  /// The pattern that decided; null for `default`, and where a list did. Borrowed from the GateRules.
  const Pattern* pattern = nullptr;
  /// The list that decided, else null. Borrowed.
  const Category* category = nullptr;
  int labels = 0;  ///< of the list's entry: the last so many of the name
};

/// Ports as base::merged() leaves them.
using Ports = std::vector<base::PortRange>;

/// tcp 80 and 443, udp 443: what cloud names are open on unless an endpoint list says otherwise.
[[nodiscard]] const Ports& usual_cloud_ports();
/// Of a name of an endpoint list, in one entry: its addresses are pinned port by port.
inline constexpr std::size_t most_pinned_ports = 16;

/// A name of an origin that is kept on the premises ([[origin]]).
struct SteeredHost {
  std::string host;        ///< exact: lower case, A-labels, no trailing dot
  std::size_t origin = 0;  ///< its place among CacheRules::origins: the bit of what the cache says is well
  Scope scope = Scope::school;
  Source source;  ///< of the [[origin]]
  bool operator==(const SteeredHost&) const = default;
};

struct GateRules {
  NamePatterns cloud;              ///< their doors are bits of any_cloud_door that `cloud_ports` has ports for
  std::vector<Ports> cloud_ports;  ///< at most most_port_classes, distinct, none of them the usual
  NamePatterns never;
  Categories never_lists;
  std::vector<ProfileNames> profiles;
  std::map<std::uint32_t, View> views;      ///< by view number (ViewNumber of the ruleset), 1 and up
  NamePatterns local;                       ///< zones of the school's own: their names may lead inside
  std::vector<base::InterfaceAddress> lan;  ///< the gateway's addresses there
  std::vector<SteeredHost> steered;         ///< in the order of their hosts, each once; all of them the cloud's
  std::optional<lists::Digest> table;  ///< Table::identity() of the table that the numbers of lists are of; none: there is none
};

/// All lists that the rules name, each rule's by itself.
[[nodiscard]] std::vector<const Category*> named_lists(const GateRules& rules);
/// Those that names are held against in a profile.
[[nodiscard]] std::vector<const Category*> named_lists(const GateRules& rules, const ProfileNames& profile);
/// Numbers the lists as a table does.
void number_lists(GateRules& rules, const NumberOfList& number_of);

/// Judges `name` (lower case, no trailing dot, A-labels) in a profile; `hits` are the lists that hold it, of the table that the
/// rules are of. Order, first hit decides: cloud (allow) → never (refuse) → the city's block, but for its own more specific allow
/// (refuse) → the profile's allow and block, of which the most specific entry wins and block wins a tie → the profile's default.
/// A list's entry counts as a name of its labels.
[[nodiscard]] Judgement judge(const GateRules& rules, const ProfileNames& profile, std::string_view name, const lists::Hits& hits);

/// The doors that an address handed out for `name` is pinned for: the cloud's alone for a cloud name, those of all patterns that
/// hold it; else every listed profile that allows it and has it rewritten to the same `target` (empty: as it is), whatever view
/// asked.
[[nodiscard]] Doors doors_of(const GateRules& rules, std::string_view name, const lists::Hits& hits, std::string_view target = {});

/// The name that `name`, which the profile allows as `judgement` says, is answered with in its place; empty when there is none.
/// A name of the cloud is what it is.
[[nodiscard]] std::string_view rewrite_of(const ProfileNames& profile, const Judgement& judgement, std::string_view name);

/// The kept origin's name that questions of a view are answered with the gateway's own addresses for, while the origin is well:
/// null where `name`, which `judgement` allows, is none, or none for this view. Borrowed.
[[nodiscard]] const SteeredHost* steered_host(const GateRules& rules, bool steer, const Judgement& judgement,
                                              std::string_view name);

/// The ports that the cloud's doors among `doors` mean together.
[[nodiscard]] Ports ports_of(const GateRules& rules, Doors doors);

/// Whether a name below `name` may be allowed in the profile although `name` itself is refused: an answer for `name`
/// must then be NODATA, since NXDOMAIN would deny everything below (RFC 8020).
[[nodiscard]] bool allowed_below(const GateRules& rules, const ProfileNames& profile, std::string_view name,
                                 const lists::Hits& hits);

/// As JSON, and back: how schultord hands the rules to the gate. Reading is strict and bounded.
[[nodiscard]] std::string to_json(const GateRules& rules);
[[nodiscard]] base::Result<GateRules> gate_rules_from_json(std::string_view json);

}  // namespace schultor::policy
