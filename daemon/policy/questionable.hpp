// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/policy/compile.hpp"
#include "daemon/policy/schedule.hpp"

#include <optional>
#include <vector>

/// What is valid and hardly meant. Each finding is a warning with its place and what to do about it. The city's profiles and
/// schedules are an offer to all its schools: none is warned of for being unused by one. Nothing is warned of that
/// can be meant just so without a way to say it.
namespace schultor::policy {

/// How many dates ahead one looks for school hours, and for events of a calendar.
inline constexpr int hours_expected_within = 14;
inline constexpr int events_expected_within = 400;

/// Of a directory that was read with Need::everything() and has no error. `now`: when it is looked at; without it (the clock is not
/// known to be right) what looks ahead or back is left out. Pure.
[[nodiscard]] std::vector<config::Diagnostic> questionable(const config::Config& config, const Policy& policy,
                                                           std::optional<Seconds> now);

/// Adds the findings to what was said of a directory; nothing where there are errors, which come first.
void add_questionable(LoadedPolicy& loaded, std::optional<Seconds> now);

}  // namespace schultor::policy
