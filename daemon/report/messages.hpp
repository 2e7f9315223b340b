// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the city is told, and nothing else: whatever schultord says, only the members named here leave the school. Pure.
namespace schultor::report {

/// Bounds of what is taken from the bus; beyond them it is refused.
inline constexpr std::size_t largest_description = 1U << 20U;
inline constexpr std::size_t largest_event = 1U << 20U;  ///< a refused configuration lists up to 1000 errors
inline constexpr std::size_t most_groups = 1000;
inline constexpr std::size_t most_settings = 500;
inline constexpr std::size_t most_counters = 4096;
inline constexpr std::size_t most_origins = 64;
inline constexpr std::size_t most_errors = 50;    ///< of a configuration, that the city is told one by one
inline constexpr std::size_t longest_text = 200;  ///< names, ids, instants; bytes

/// What holds for a group; instants in RFC 3339 as schultord wrote them.
struct GroupFacts {
  std::string name;
  std::string profile;
  std::string because;
  std::optional<std::string> since;  ///< none for a profile that never changes
  std::optional<std::string> until;
};

/// Of Manager.Describe, what goes to the city.
struct GatewayFacts {
  std::string version;
  std::string time;
  std::string applied;
  std::uint64_t policy_revision = 0;
  std::vector<GroupFacts> groups;
  bool gate_connected = false;
  std::optional<bool> resolver_answers;                    ///< none until schultord knows
  std::optional<std::vector<std::string>> settings_wrong;  ///< names of settings of the kernel; none until schultord has looked
  std::optional<bool> ruleset_in_force;                    ///< none from an older schultord
  /// Packets since the machine started, of the whole school.
  struct Traffic {
    std::uint64_t refused = 0;
    std::uint64_t admitted = 0;  ///< those that opened a connection
  };
  std::optional<Traffic> traffic;       ///< none from an older schultord
  std::optional<std::uint64_t> online;  ///< devices of all groups; none: not known. Never told as it is, see Telemetry
  std::optional<std::vector<std::string>>
      origins_unwell;                                ///< kept origins that the cache does not answer for; none: nothing is kept
  std::optional<std::uint64_t> connections_percent;  ///< how full the kernel's table of connections is
};

/// How the way of events to the city is.
enum class OutboxHealth : std::uint8_t { ok, full, failed };

/// An event on its way: `payload` is the event's JSON as it leaves the school.
struct EventMessage {
  std::string id;
  std::string kind;
  std::string payload;
};

/// schultor/1/<school>/state
[[nodiscard]] std::string state_topic(std::string_view school);
/// schultor/1/<school>/telemetry
[[nodiscard]] std::string telemetry_topic(std::string_view school);
/// schultor/1/<school>/event/<kind>
[[nodiscard]] std::string event_topic(std::string_view school, std::string_view kind);

/// {"online":false}: the last will, and the last word of an orderly stop.
[[nodiscard]] std::string offline_payload();

/// Reads the answer of Manager.Describe. Refuses what is no such JSON, too large, or has values of other types.
[[nodiscard]] base::Result<GatewayFacts> parse_description(std::string_view json);

/// The payload of `state`. `facts` are the latest known, none before schultord was ever reached; `gateway_runs` whether
/// it is there now. Holds no device, no count of devices and no free text.
[[nodiscard]] std::string compose_state(std::string_view school, const std::optional<GatewayFacts>& facts, bool gateway_runs,
                                        OutboxHealth outbox);

/// An event as schultord raised it, made ready to leave: members unknown here stay behind, MAC addresses are blotted out, and of
/// what is wrong with the roster only the place goes along. Refuses what is no event: an object with `id`, `kind` ([a-z-]) and
/// `at`.
[[nodiscard]] base::Result<EventMessage> compose_event(std::string_view json);

}  // namespace schultor::report
