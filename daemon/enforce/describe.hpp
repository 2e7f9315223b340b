// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/wall_clock.hpp"
#include "daemon/enforce/cache_health.hpp"
#include "daemon/enforce/events.hpp"
#include "daemon/enforce/gateway.hpp"
#include "daemon/enforce/kernel_settings.hpp"
#include "daemon/enforce/moment.hpp"
#include "daemon/enforce/offload.hpp"
#include "daemon/lists/update_status.hpp"
#include "daemon/policy/policy.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace schultor::enforce {

/// A configuration that was not applied.
struct Refusal {
  base::Instant at;
  std::vector<std::string> errors;  ///< "FILE:LINE:COL: error: …", each by itself
};

/// Since when the kernel does not take what it is to hold, although schultord tries again and again.
struct KernelTrouble {
  std::chrono::sys_seconds since;
  std::string text;  ///< what it said at last
};

/// What the kernel is like.
struct KernelHealth {
  std::optional<std::vector<WrongSetting>> settings_wrong{};  ///< none: not looked yet
  std::optional<ConnectionTable> connections{};               ///< none: not known
  std::map<std::string, std::uint64_t> counters{};            ///< packets since the machine started, by the ruleset's counter
  std::optional<KernelTrouble> trouble{};                     ///< none: it holds what it is to hold
};

/// Beside GatewayStatus, what Manager.Describe tells.
struct Health {
  std::chrono::sys_seconds now;
  std::chrono::sys_seconds applied;  ///< the last commit
  bool gate_connected = false;
  std::optional<bool> resolver_answers;  ///< none until the gate has said so
  bool clock_trusted = true;
  bool clock_synchronised = true;
  policy::Overrides overrides{};
  bool names_categories = false;           ///< the rules name lists
  std::string lists_fault{};               ///< why they hold nothing; empty: they do
  std::chrono::sys_seconds compiled{};     ///< the lists' table
  std::optional<Refusal> refused{};        ///< the last one, until a configuration is applied
  std::vector<lists::ListStatus> lists{};  ///< those that are downloaded
  std::optional<QuestionLog> question_log{};
  std::optional<std::vector<std::size_t>> online{};  ///< devices, of each group; none: not known
  Offload offload{};
  KernelHealth kernel{};
  CacheHealth cache{};
};

/// What holds at `moment`, after `changes` that led to it. Since when, is what the policy says, or the latest change that was seen
/// here, of which the policy knows nothing: an override that has gone, a reload. A group that is new to the kernel has changed
/// from nothing, which is no change.
[[nodiscard]] GatewayStatus status_after(const GatewayStatus& before, const policy::Policy& policy,
                                         const std::vector<std::size_t>& devices, const Moment& moment,
                                         const std::vector<ModeChange>& changes);

/// {"school", "version", "time", "policy_revision", "groups": […], "overrides": […], "clock": {…}, "randomised_devices", "gate":
/// {…}, "offload": {"in_effect", "interfaces", "text"}, "network": {"management", "management_ports", "reachable", "masquerade"},
/// "lists": […], "applied", "categories" (null: none are named): {"in_effect", "compiled", "error"}, "refused" (null: nothing is):
/// {"at", "errors"}, "kernel": {"settings", "connections", "counters", "ruleset": {"in_force", "since"?, "text"?, "remedy"?}},
/// "cache" (null: nothing is kept): {"connected", "origins": [{"name", "well", "text"}]}}: see
/// schultord(8).
[[nodiscard]] std::string describe(const policy::Policy& policy, const GatewayStatus& status, const Health& health);

/// {"id", "group" (null: all), "profile", "from", "until", "reason", "by"}.
[[nodiscard]] std::string describe(const policy::Policy& policy, const policy::Override& one);

/// {"since", "until", "profile" (null: all), "by"}.
[[nodiscard]] std::string describe(const policy::Policy& policy, const QuestionLog& log);

/// One line for the service manager: "3b: school until 17:00, lehrkraefte: leisure"; before it, that a configuration is refused.
[[nodiscard]] std::string status_line(const policy::Policy& policy, const GatewayStatus& status, bool refused = false);

}  // namespace schultor::enforce
