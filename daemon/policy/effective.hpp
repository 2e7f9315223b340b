// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/config.hpp"
#include "daemon/policy/schedule.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a configuration comes to, line by line, each with the place that it comes from. Pure.
namespace schultor::policy {

/// What a line is about; they are listed in this order.
enum class Section : std::uint8_t { cloud, never, profile, schedule, override, clock, service, network, group };
[[nodiscard]] std::string_view to_string(Section section);

struct EffectiveLine {
  Section section = Section::cloud;
  std::string name;                  ///< of the profile, schedule or group; else empty
  std::string what;                  ///< "allow", "window", "ownership", …: see schultorctl(1)
  std::string text;                  ///< for people; a name, a window, …
  std::vector<std::string> names{};  ///< where the line stands for an entry of several names: each of them
  Source source;                     ///< "built-in" where nobody wrote it
  bool operator==(const EffectiveLine&) const = default;
};

/// Whose word a line is: "city", "school", "gateway" or "built-in". A calendar is whose schedule names it.
[[nodiscard]] std::string_view author_of(const EffectiveLine& line);

/// `config` and the policy that was compiled from it. With a group: only the group, its schedule, and the profiles that it can have
/// without an override. With an instant: also what holds then, of each group.
[[nodiscard]] std::vector<EffectiveLine> effective(const config::Config& config, const Policy& policy, const Group* group = nullptr,
                                                   std::optional<Seconds> at = std::nullopt);

}  // namespace schultor::policy
