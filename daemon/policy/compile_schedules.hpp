// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/config.hpp"
#include "daemon/policy/policy.hpp"

#include <string_view>
#include <vector>

namespace schultor::policy {

/// Whether a text is what a glob means: `*` is any run of characters, `?` is one; upper and lower case are one, beyond ASCII those
/// of German. The glob has to fit the whole text.
[[nodiscard]] bool fits_glob(std::string_view glob, std::string_view text);

/// Warns of globs that pick nothing; an empty one is an error.
void check_calendars(const config::Schedule& schedule, const config::Config& config, config::Diagnostics& out);

/// The dates that the calendars of a schedule make holidays, in their order.
[[nodiscard]] std::vector<Holiday> holidays_of(const config::Schedule& schedule, const config::Config& config,
                                               const date::time_zone& zone);
/// Those of one entry of `calendars`.
[[nodiscard]] std::vector<Holiday> holidays_of_use(const config::CalendarUse& use, const config::Config& config,
                                                   const date::time_zone& zone);

/// The dates with windows of their own that concern a schedule, in their order; one for this schedule stands before one for all.
[[nodiscard]] std::vector<Day> days_of(const std::vector<config::Day>& days, std::string_view schedule);
/// Says where two concern the same date and schedules.
void check_days(const std::vector<config::Day>& days, config::Diagnostics& out);

[[nodiscard]] std::vector<Window> windows_of(const std::vector<config::Window>& windows);

}  // namespace schultor::policy
