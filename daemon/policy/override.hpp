// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/policy/policy.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What people set by hand, for a while. Pure: the instant is passed in, and each change yields a new list.
namespace schultor::policy {

/// A profile that holds instead of the schedule's, in [from, until).
struct Override {
  std::uint64_t id = 0;              ///< grows with each that is made
  std::optional<std::string> group;  ///< none: all groups
  std::string profile;               ///< empty: lifts older ones that are for all groups
  std::chrono::sys_seconds from;
  std::chrono::sys_seconds until;
  std::string reason;  ///< as written by who set it; stays in the school
  std::string by;      ///< the user who set it
  bool operator==(const Override&) const = default;
};
/// Oldest first: of those that concern a group at an instant the last one holds.
using Overrides = std::vector<Override>;

inline constexpr std::size_t most_overrides = 1000;
inline constexpr std::size_t longest_reason = 200;  ///< octets
inline constexpr std::size_t longest_by = 200;      ///< octets

/// The override that holds for a group at an instant; null where none does.
[[nodiscard]] const Override* override_at(const Overrides& overrides, std::string_view group, std::chrono::sys_seconds at);

/// What somebody asks for.
struct OverrideRequest {
  std::optional<std::string> group;  ///< none: all
  std::string profile;
  std::string end;  ///< "45m", "1h30m", or a time: "10:15" (its next occurrence), "2026-11-28 10:15", see parse_local()
  std::string reason;
  std::string by;
};

/// `overrides` and the one asked for as its last, with an id above `last_id`. Refuses a group or profile that is not there, an end
/// that has passed or is farther than policy.longest_override, a reason or a name that is too long or holds control characters.
[[nodiscard]] base::Result<Overrides> with_override(const Policy& policy, Overrides overrides, const OverrideRequest& request,
                                                    std::uint64_t last_id, std::chrono::sys_seconds now);
/// Moves the end of the override that holds for the group (none: of the last one for all groups that holds) by `span` ("15m"),
/// within policy.longest_override from now. One for all groups that is extended for a group alone becomes the group's own; a group
/// for which it was lifted stays so.
[[nodiscard]] base::Result<Overrides> extended(const Policy& policy, Overrides overrides, const std::optional<std::string>& group,
                                               std::string_view span, std::uint64_t last_id, std::chrono::sys_seconds now);
/// Without the group's overrides, those for all groups lifted for it; without a group: none at all. The same list where nothing
/// holds.
[[nodiscard]] base::Result<Overrides> cleared(const Policy& policy, Overrides overrides, const std::optional<std::string>& group,
                                              std::uint64_t last_id, std::chrono::sys_seconds now);
/// Without those that ended, and those whose group or profile the policy does not know any more.
[[nodiscard]] Overrides pruned(const Policy& policy, Overrides overrides, std::chrono::sys_seconds now);

/// By so much a clock may be set back without an end being moved that somebody read off the wall.
inline constexpr std::chrono::minutes small_correction{5};
/// Where the clock was set back by more than that behind the beginning of one: it began now, and ends when its own length is over,
/// or policy.longest_override. Nobody's override outlives a clock that was wrong.
[[nodiscard]] Overrides anchored(const Policy& policy, Overrides overrides, std::chrono::sys_seconds now);
/// For people: "45 min", "24 h", "1 h 30 min".
[[nodiscard]] std::string span_text(std::chrono::seconds span);

/// What was told of a change: kept with the change, so that a crash between the two loses neither.
struct Told {
  std::chrono::sys_seconds at;
  std::string event;  ///< as JSON; opaque here
  bool operator==(const Told&) const = default;
};
inline constexpr std::size_t most_told = 200;
inline constexpr std::size_t longest_told = 8192;  ///< octets

/// As JSON, and back: what is kept on disk. Reading is strict and bounded.
struct KeptOverrides {
  std::uint64_t last_id = 0;  ///< no id is ever given twice
  Overrides overrides;
  std::vector<Told> told;  ///< the latest, oldest first
  bool operator==(const KeptOverrides&) const = default;
};
[[nodiscard]] std::string to_json(const KeptOverrides& kept);
[[nodiscard]] base::Result<KeptOverrides> overrides_from_json(std::string_view json);

}  // namespace schultor::policy
