// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/enforce/gateway.hpp"
#include "daemon/policy/policy.hpp"

#include <optional>
#include <string>

namespace schultor::enforce {

/// Beside GatewayStatus, what Manager.Describe tells.
struct Health {
  std::chrono::sys_seconds now;
  std::chrono::sys_seconds applied;  ///< the last commit
  bool gate_connected = false;
  std::optional<bool> resolver_answers;  ///< none until the gate has said so
  bool clock_trusted = true;
  bool clock_synchronised = true;
  policy::Overrides overrides{};
};

/// {"school", "version", "time", "policy_revision", "groups": […], "overrides": […], "clock": {…}, "randomised_devices", "gate": {…},
/// "applied"}: see schultord(8).
[[nodiscard]] std::string describe(const policy::Policy& policy, const GatewayStatus& status, const Health& health);

/// {"id", "group" (null: all), "profile", "from", "until", "reason", "by"}.
[[nodiscard]] std::string describe(const policy::Policy& policy, const policy::Override& one);

/// One line for the service manager: "3b: school until 17:00, lehrkraefte: leisure".
[[nodiscard]] std::string status_line(const policy::Policy& policy, const GatewayStatus& status);

}  // namespace schultor::enforce
