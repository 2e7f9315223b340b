// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/log.hpp"
#include "daemon/base/message_ids.hpp"
#include "daemon/enforce/applied_configuration.hpp"
#include "daemon/enforce/gateway_impl.hpp"

#include <filesystem>

namespace schultor::enforce {
namespace {

using base::Priority;
namespace message_id = base::message_id;

}  // namespace

Attempt Gateway::Impl::attempt_from(const std::string& directory, const std::optional<Numbers>& known, const std::string& table,
                                    Lists lists) const {
  const auto now = clock->now();
  const bool right = clock_trust.judge(now, clock->synchronised());
  return attempt_configuration({directory, numbers_path(), table}, known, lists,
                               right ? std::optional(std::chrono::floor<std::chrono::seconds>(now)) : std::nullopt);
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
