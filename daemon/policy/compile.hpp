// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/load.hpp"
#include "daemon/policy/policy.hpp"

#include <array>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace schultor::policy {

/// Every city has these, unless it writes them itself: the cloud alone, for an exam and for a class that is to listen.
inline constexpr std::array<std::string_view, 2> built_in_profiles{"exam", "paused"};

/// A policy, or none if there is an error among the diagnostics.
struct Compiled {
  std::optional<Policy> policy;
  std::vector<config::Diagnostic> diagnostics;
};

/// Resolves what a configuration names: profiles, schedules, groups, names, the time zone. Passes over empty names: the
/// reader has complained about those. What config::Need left out is left empty; without a time zone there is no policy.
/// What a file that is `unread` may have defined is not missed.
[[nodiscard]] Compiled compile(const config::Config& config, const config::Unread& unread = {});

/// A directory, read and compiled. `policy` and `config` are both there or both missing.
struct LoadedPolicy {
  std::optional<config::Config> config;
  std::optional<Policy> policy;
  std::vector<config::Diagnostic> diagnostics;  ///< of both steps; may hold warnings beside a policy
};

[[nodiscard]] LoadedPolicy load(const std::filesystem::path& directory, config::Need need);
/// The same from what was read of a directory.
[[nodiscard]] LoadedPolicy load(const config::Reading& reading, config::Need need);
/// The same from the files' contents. Pure but for the tz database.
[[nodiscard]] LoadedPolicy load(const config::Files& files, config::Need need);

}  // namespace schultor::policy
