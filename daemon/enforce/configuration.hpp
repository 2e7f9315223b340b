// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/load.hpp"
#include "daemon/enforce/lists_in_force.hpp"
#include "daemon/enforce/numbers.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// From a configuration directory to what is applied of it.
namespace schultor::enforce {

/// A configuration as it is applied: whole, or not at all.
struct Configuration {
  std::shared_ptr<const policy::Policy> policy;
  std::vector<std::string> lan_interfaces;
  std::string wan_interface;
  std::vector<std::size_t> devices;  ///< of each of Policy::groups, in their order
  Numbers numbers;
  policy::GateRules gate_rules;
  std::string gate_rules_json;
  ListsInForce lists;
  std::string lists_fault{};  ///< why the lists that the rules name hold nothing; empty: they do
};

/// Whether a configuration whose table of lists is of no use is one.
enum class Lists : std::uint8_t { needed, spared };

/// What came of reading a directory: a configuration, or errors.
struct Attempt {
  std::optional<Configuration> wanted{};
  config::Files files{};              ///< where there is one
  std::vector<std::string> errors{};  ///< where there is none: each with its place
};

/// Where an attempt reads from.
struct Sources {
  std::string directory;  ///< the configuration's
  std::string numbers;    ///< numbers.json
  std::string table;      ///< of lists
};

/// Reads and compiles a configuration, and logs what is wrong with it. New groups and profiles get numbers over those `known`, or
/// else of numbers.json: on disk when it returns. `today`: what is questionable is judged by it; none: the date is not known.
[[nodiscard]] Attempt attempt_configuration(const Sources& sources, const std::optional<Numbers>& known, Lists lists,
                                            std::optional<std::chrono::sys_seconds> today);

}  // namespace schultor::enforce
