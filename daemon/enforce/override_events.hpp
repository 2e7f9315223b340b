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

/// What happened between two lists, one event each: {"id", "kind": "override", "at", "result": "set" | "extended" | "cleared" | "ended",
/// "group" (null: all), "profile", "until", "by", "reason"}. `by` is who changed the list; empty: whoever set the override.
[[nodiscard]] std::vector<std::string> override_events(const policy::Policy& policy, const policy::Overrides& before,
                                                       const policy::Overrides& after, std::chrono::sys_seconds now,
                                                       const std::string& by);
/// The same with the result "ending", for each that is within `warning_before_end` of its end.
[[nodiscard]] std::vector<std::string> ending_events(const policy::Policy& policy, const policy::Overrides& overrides,
                                                     std::chrono::sys_seconds now);
/// The next instant after `now` at which one ends or is to be told of.
[[nodiscard]] std::optional<std::chrono::sys_seconds> next_of(const policy::Overrides& overrides, std::chrono::sys_seconds now);

}  // namespace schultor::enforce
