// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/policy/override.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

/// What is told of overrides. The ids derive from the override and from what happened to it, so that the same thing told again
/// after a crash is the same event.
namespace schultor::enforce {

/// Before its end an override is told of, if it is longer than that.
inline constexpr std::chrono::minutes warning_before_end{5};

struct OverrideEvent {
  std::string id;
  std::string result;  ///< "set", "extended", "shortened" (its clock was wrong), "cleared", "ending" or "ended"
  std::chrono::sys_seconds at;
  policy::Override about;
  std::string by;  ///< whose doing it is
};

/// What happened between two lists. `by`: who changed the list.
[[nodiscard]] std::vector<OverrideEvent> override_events(const policy::Overrides& before, const policy::Overrides& after,
                                                         std::chrono::sys_seconds now, const std::string& by);
/// Those that are within `warning_before_end` of their end, and hold for some group until then.
[[nodiscard]] std::vector<OverrideEvent> ending_events(const policy::Policy& policy, const policy::Overrides& overrides,
                                                       std::chrono::sys_seconds now);
/// {"id", "kind": "override", "at", "result", "group" (null: all), "profile", "until", "by", "reason"}.
[[nodiscard]] std::string to_json(const policy::Policy& policy, const OverrideEvent& event);
/// What was told lately and `events`, to be kept with the list: a day's, and policy::most_told of them at most.
[[nodiscard]] std::vector<policy::Told> told_with(const policy::Policy& policy, std::vector<policy::Told> told,
                                                  const std::vector<OverrideEvent>& events, std::chrono::sys_seconds now);
/// The next instant after `now` at which one ends or is to be told of.
[[nodiscard]] std::optional<std::chrono::sys_seconds> next_of(const policy::Overrides& overrides, std::chrono::sys_seconds now);

}  // namespace schultor::enforce
