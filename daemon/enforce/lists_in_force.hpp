// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/unique_fd.hpp"
#include "daemon/base/wall_clock.hpp"
#include "daemon/lists/table.hpp"
#include "daemon/policy/gate_rules.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace schultor::enforce {

/// Networks that lists hold, as the ruleset is to close them.
struct ListedNetworks {
  std::vector<base::Prefix> never;
  std::map<std::string, std::vector<base::Prefix>> blocked{};  ///< by profile; each that names lists is there
  bool operator==(const ListedNetworks&) const = default;
};

/// What the lists of `rules`, numbered as in `table`, hold of addresses; without a table nothing. Fails where one rule's lists hold
/// more than lists::most_networks_of_a_rule. Pure.
[[nodiscard]] base::Result<ListedNetworks> networks_of(const policy::GateRules& rules, const lists::Table* table);

/// The table of lists that a configuration is applied with.
struct ListsInForce {
  std::shared_ptr<const base::UniqueFd>
      table{};  ///< for the gate, sealed memory; null where no rule names a list, and where there is a fault
  base::Instant compiled{};
  ListedNetworks networks{};
};

/// What came of it: lists, or why not, each with its place.
struct TakenLists {
  std::optional<ListsInForce> lists{};
  std::vector<std::string> errors{};
};

/// Copies the table in `file` to memory that nobody can change, verifies all of it, and numbers the lists of `rules` by it. Where
/// no rule names a list, no file is opened.
[[nodiscard]] TakenLists take_lists(const std::string& file, policy::GateRules& rules);

}  // namespace schultor::enforce
