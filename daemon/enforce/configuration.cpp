// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/configuration.hpp"

#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/enforce/moment.hpp"
#include "daemon/policy/compile.hpp"
#include "daemon/policy/questionable.hpp"

namespace schultor::enforce {
namespace {

using base::Priority;
namespace message_id = base::message_id;

Configuration configuration_of(config::Config&& config, policy::Policy&& compiled, Numbers&& numbers) {
  Configuration made{std::make_shared<const policy::Policy>(std::move(compiled)), {}, {}, {}, std::move(numbers), {}, {}, {}};
  made.devices.resize(made.policy->groups.size());
  for (const auto& device : made.policy->devices) ++made.devices[device.group];
  for (auto& interface : config.gateway.lan_interfaces) made.lan_interfaces.push_back(std::move(interface.value));
  made.wan_interface = std::move(config.gateway.wan_interface.value);
  made.gate_rules = gate_rules_of(*made.policy, made.numbers);
  return made;
}

/// Beside the rules their lists, or why there are none.
std::vector<std::string> add_lists(Configuration& made, const std::string& file, Lists lists) {
  auto taken = take_lists(file, made.gate_rules);
  if (taken.lists) {
    made.lists = std::move(*taken.lists);
  } else if (lists == Lists::needed) {
    return taken.errors;
  } else {
    made.lists_fault = fmt::format("{}", fmt::join(taken.errors, "\n"));
    policy::number_lists(made.gate_rules, [](std::string_view) { return std::nullopt; });
    made.gate_rules.table.reset();
    made.lists.networks = networks_of(made.gate_rules, nullptr).value();
  }
  made.gate_rules_json = policy::to_json(made.gate_rules);
  return {};
}

void log_all(const std::vector<config::Diagnostic>& diagnostics) {
  for (const auto& diagnostic : diagnostics) {
    const bool is_error = diagnostic.severity == config::Severity::error;
    log(is_error ? Priority::error : Priority::warning, is_error ? message_id::configuration_refused : std::string_view{},
        config::to_string(diagnostic));
  }
}

}  // namespace

Attempt attempt_configuration(const Sources& sources, const std::optional<Numbers>& known, Lists lists,
                              std::optional<std::chrono::sys_seconds> today) {
  auto reading = config::read(sources.directory, config::Need::everything());
  auto loaded = policy::load(reading, config::Need::everything());
  policy::add_questionable(loaded, today);
  Attempt attempt;
  log_all(loaded.diagnostics);
  for (const auto& diagnostic : loaded.diagnostics)
    if (diagnostic.severity == config::Severity::error) attempt.errors.push_back(config::to_string(diagnostic));
  if (!loaded.policy) return attempt;
  const auto refuse = [&](const base::Error& error) {
    attempt.errors.push_back(error.what());
    return std::move(attempt);
  };
  auto stored = known ? base::Result<Numbers>(*known) : load_numbers(sources.numbers);
  if (!stored) return refuse(stored.error());
  auto numbers = with_numbers_for(*stored, *loaded.policy);
  if (!numbers) return refuse(numbers.error());
  // The disk knows a number before the kernel does: none is ever given twice.
  if (*numbers != *stored)
    if (auto saved = save_numbers(sources.numbers, *numbers); !saved) return refuse(saved.error());
  auto made = configuration_of(std::move(*loaded.config), std::move(*loaded.policy), std::move(*numbers));
  if (attempt.errors = add_lists(made, sources.table, lists); !attempt.errors.empty()) {
    for (const auto& error : attempt.errors) log(Priority::error, message_id::configuration_refused, error);
    return attempt;
  }
  attempt.wanted = std::move(made);
  attempt.files = std::move(*reading.files);
  return attempt;
}

}  // namespace schultor::enforce
