// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/config/config.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace schultor::config {

/// Reads "Mon,Wed..Fri 07:45-12:30". Without days every day is meant; a range may run over the week's end ("Sat..Mon");
/// "24:00" ends a day; an end before the start runs past midnight; start = end is an error.
[[nodiscard]] base::Result<Window> parse_window(std::string_view text, Source source);

/// Reads a [[day]]'s window: the same without days.
[[nodiscard]] base::Result<Window> parse_day_window(std::string_view text, Source source);

/// Reads a span of time: "45m", "4h", "1h30m"; more than nothing, at most 100 days.
[[nodiscard]] std::optional<std::chrono::seconds> parse_duration(std::string_view text);

/// Reads an age: "30d", "12h", "1d12h"; more than nothing, at most 366 days.
[[nodiscard]] std::optional<std::chrono::seconds> parse_age(std::string_view text);

/// Reads a date as ISO 8601 writes it: "2026-11-28", from 1970 to 2037.
[[nodiscard]] std::optional<date::local_days> parse_date(std::string_view text);

}  // namespace schultor::config
