// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/policy/override.hpp"
#include "daemon/policy/policy.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What holds when. Pure: the instant is passed in.
namespace schultor::policy {

/// Why a profile holds; the words are those of `timeline --json`. `clock`: it is not known to be right yet.
enum class Because { override, day, holiday, window, otherwise, fixed, clock };
[[nodiscard]] std::string_view to_string(Because because);

/// What holds for a group at an instant.
struct Holding {
  std::string profile;
  Because because = Because::otherwise;
  std::string text;  ///< for people: "window Mon..Fri 08:00-17:00"
  Source rule;       ///< where the deciding rule stands
  bool operator==(const Holding&) const = default;
};

using Seconds = std::chrono::sys_seconds;

/// What decides beside the policy.
struct Circumstances {
  Overrides overrides;
  bool clock_trusted = true;  ///< false: the time of day is not known, and Policy::untrusted holds
};

/// At `at`, found from its local time in the policy's zone, so that daylight saving needs no rule. The first that applies:
/// an untrusted clock → override → [[day]] → holiday → windows → otherwise.
[[nodiscard]] Holding holding_at(const Policy& policy, const Group& group, Seconds at, const Circumstances& circumstances = {});

/// Of the names of two profiles the one that opens less: listed before open; of two listed ones the one with fewer allowed names,
/// of two open ones the one with more blocked names; else the first in the order of the configuration.
[[nodiscard]] const std::string& stricter(const Policy& policy, const std::string& a, const std::string& b);

/// A stretch of time in which a group's profile does not change.
struct Span {
  Holding holding;               ///< with the reason that holds at the instant asked for
  std::optional<Seconds> since;  ///< when the profile began to hold; none within `lookback` days, as for a fixed one
  std::optional<Seconds> until;  ///< when it changes next; none within `lookahead` days
};
inline constexpr std::chrono::days lookback{400};
inline constexpr std::chrono::days lookahead{400};

[[nodiscard]] Span span_at(const Policy& policy, const Group& group, Seconds at, const Circumstances& circumstances = {});

/// One line of a timeline.
struct Transition {
  Seconds at;
  Holding holding;
};

/// The state at `from`, then every change of the profile before `to`.
[[nodiscard]] std::vector<Transition> timeline(const Policy& policy, const Group& group, Seconds from, Seconds to,
                                               const Circumstances& circumstances = {});

/// RFC 3339 in the policy's zone: "2026-03-27T08:00:00+01:00".
[[nodiscard]] std::string format_local(const Policy& policy, Seconds at);
/// "2026-03-27", "2026-03-27 08:00", "2026-03-27T08:00:00", or with an offset or Z; a local time that occurs twice means the
/// first, one that does not occur the first instant after.
[[nodiscard]] base::Result<Seconds> parse_local(const Policy& policy, std::string_view text);

}  // namespace schultor::policy
