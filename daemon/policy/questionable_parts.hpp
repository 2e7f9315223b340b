// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/config.hpp"
#include "daemon/policy/policy.hpp"

#include <optional>

/// The parts that questionable() is made of: what is said of names, of networks, and of times. No other file needs them.
namespace schultor::policy {

struct Examined {
  const config::Config& config;
  const Policy& policy;
  std::optional<date::local_days> today;
  config::Diagnostics& out;

  /// Null where there is none of that name.
  [[nodiscard]] const Schedule* find_schedule(std::string_view name) const;
  [[nodiscard]] bool is_followed(const Schedule& schedule) const;
};

/// Entries of allow and block that have no effect.
void question_names(const Examined& examined);
/// Networks that let in more than is meant, and ports.
void question_networks(const Examined& examined);
/// [[origin]] and [cache].
void question_origins(const Examined& examined);
/// Windows, dates and calendars.
void question_times(const Examined& examined);

}  // namespace schultor::policy
