// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/lists/table.hpp"
#include "daemon/policy/gate_rules.hpp"

#include <memory>
#include <string_view>
#include <utility>

namespace schultor::dns {

/// What the gate judges by: rules, and the table that their lists are numbered by. They come and go together. Immutable.
class Rulebook {
public:
  /// Without a table: the rules' lists hold nothing.
  Rulebook(policy::GateRules rules) : rules_(std::move(rules)) {}  // NOLINT(google-explicit-constructor): rules are one
  /// `table`: the very one that the rules name, or an error. It keeps alive what it reads from.
  [[nodiscard]] static base::Result<Rulebook> with_table(policy::GateRules rules, std::shared_ptr<const lists::Table> table);

  [[nodiscard]] const policy::GateRules& rules() const { return rules_; }
  /// The lists that hold a name, as judge() takes it; none where the rules name no lists. One look-up, whatever is judged by it.
  [[nodiscard]] lists::Hits hits_of(std::string_view name) const { return table_ ? table_->look_up(name) : lists::Hits{}; }

private:
  policy::GateRules rules_;
  std::shared_ptr<const lists::Table> table_;
};

}  // namespace schultor::dns
