// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/enforce/applied_configuration.hpp"
#include "daemon/enforce/gateway_impl.hpp"
#include "daemon/policy/questionable.hpp"

#include <filesystem>

namespace schultor::enforce {
namespace {

using base::Priority;
namespace message_id = base::message_id;

Configuration configuration_of(config::Config&& config, policy::Policy&& compiled, Numbers&& numbers) {
  Configuration made{std::make_shared<const policy::Policy>(std::move(compiled)), {}, {}, std::move(numbers), {}, {}, {}};
  made.devices.resize(made.policy->groups.size());
  for (const auto& device : made.policy->devices) ++made.devices[device.group];
  for (auto& interface : config.gateway.lan_interfaces) made.lan_interfaces.push_back(std::move(interface.value));
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

Attempt Gateway::Impl::attempt_from(const std::string& directory, const std::optional<Numbers>& known, const std::string& table,
                                    Lists lists) {
  auto reading = config::read(directory, config::Need::everything());
  auto loaded = policy::load(reading, config::Need::everything());
  const auto now = clock->now();
  const bool right = clock_trust.judge(now, clock->synchronised());
  policy::add_questionable(loaded, right ? std::optional(std::chrono::floor<std::chrono::seconds>(now)) : std::nullopt);
  Attempt attempt;
  log_all(loaded.diagnostics);
  for (const auto& diagnostic : loaded.diagnostics)
    if (diagnostic.severity == config::Severity::error) attempt.errors.push_back(config::to_string(diagnostic));
  if (!loaded.policy) return attempt;
  const auto refuse = [&](const base::Error& error) {
    attempt.errors.push_back(error.what());
    return std::move(attempt);
  };
  auto stored = known ? base::Result<Numbers>(*known) : load_numbers(numbers_path());
  if (!stored) return refuse(stored.error());
  auto numbers = with_numbers_for(*stored, *loaded.policy);
  if (!numbers) return refuse(numbers.error());
  // The disk knows a number before the kernel does: none is ever given twice.
  if (*numbers != *stored)
    if (auto saved = save_numbers(numbers_path(), *numbers); !saved) return refuse(saved.error());
  auto made = configuration_of(std::move(*loaded.config), std::move(*loaded.policy), std::move(*numbers));
  if (attempt.errors = add_lists(made, table, lists); !attempt.errors.empty()) {
    for (const auto& error : attempt.errors) log(Priority::error, message_id::configuration_refused, error);
    return attempt;
  }
  attempt.wanted = std::move(made);
  attempt.files = std::move(*reading.files);
  return attempt;
}

std::vector<std::string> Gateway::Impl::apply_from(const std::string& directory, Occasion occasion, const std::string& table,
                                                   Lists lists) {
  auto attempt = attempt_from(directory, occasion == Occasion::start ? std::nullopt : std::optional(current.numbers), table, lists);
  if (!attempt.wanted) return attempt.errors;
  if (auto done = apply(*attempt.wanted, occasion); !done) return {done.error().what()};
  if (directory != applied_path())
    if (auto kept_files = keep_applied(applied_path(), attempt.files); !kept_files)
      log(Priority::warning, {},
          fmt::format("The configuration is applied, but not kept for a start with a worse one: {}", kept_files.error().what()));
  if (directory != applied_path()) keep_table();
  return {};
}

void Gateway::Impl::keep_table() {
  if (current.lists.table)
    table_keeper.begin([path = applied_table_path(), table = current.lists.table] {
      if (auto done = keep_applied_table(path, table->get()); !done)
        log(Priority::warning, {},
            fmt::format("The lists are applied, but not kept for a start with worse ones: {}", done.error().what()));
    });
}

base::Result<void> Gateway::Impl::first_apply() {
  const auto damage = load_kept_overrides();
  clock_trust.examine(clock->now(), clock->synchronised());
  if (auto errors = apply_from(options.config_directory, Occasion::start, options.table); !errors.empty()) {
    const auto refusal = base::fail("{}", fmt::join(errors, "\n"));
    const auto holds = [&](const std::string& directory, const std::string& table, Lists lists = Lists::needed) {
      return std::filesystem::exists(directory) && apply_from(directory, Occasion::start, table, lists).empty();
    };
    // With its own table first: the compiled one may have become another since. A gateway whose lists are gone is still one: the
    // cloud is open, and all else is judged.
    if (!holds(applied_path(), applied_table_path()) && !holds(applied_path(), options.table) &&
        !holds(applied_path(), options.table, Lists::spared) && !holds(options.config_directory, options.table, Lists::spared))
      return refusal;
    note_refusal(clock->now(), std::move(errors));
    if (!current.lists_fault.empty()) tell_lists_fault();
  }
  if (!damage.empty()) keep_told(fault_event(*current.policy, clock->now(), "overrides", damage));
  if (!clock_trust.trusted()) tell_clock();
  // Who was told of the latest changes before a crash is not known here.
  for (const auto& told : kept.told) raise(told.at, told.event);
  tend_overrides();
  tell_lists(Occasion::start);
  watch_clock();
  return {};
}

base::Result<void> Gateway::Impl::reload() {
  const auto now = clock->now();
  if (auto errors = apply_from(options.config_directory, Occasion::reload, options.table); !errors.empty()) {
    const auto refusal = base::fail("{}", fmt::join(errors, "\n"));
    note_refusal(now, std::move(errors));
    tell_lists(Occasion::reload);
    tell_changed();
    return refusal;
  }
  refused.reset();
  raise(now, configuration_event(*current.policy, now, {}));
  tell_lists(Occasion::reload);
  tend_overrides();
  arm_clock();
  tell_changed();
  return {};
}

void Gateway::Impl::tell_lists_fault() {
  const auto text = "the categories of the configuration are not in effect: " + current.lists_fault;
  log(Priority::error, message_id::lists_missing, text);
  raise(clock->now(), fault_event(*current.policy, clock->now(), "lists", text));
}

void Gateway::Impl::note_refusal(base::Instant at, std::vector<std::string> errors) {
  log(Priority::error, message_id::configuration_refused,
      fmt::format("The configuration in {} is refused; the one that was applied last stays in force", options.config_directory));
  raise(at, configuration_event(*current.policy, at, errors));
  refused = Refusal{at, std::move(errors)};
}

}  // namespace schultor::enforce
