// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/rulebook.hpp"

namespace schultor::dns {

base::Result<Rulebook> Rulebook::with_table(policy::GateRules rules, std::shared_ptr<const lists::Table> table) {
  if (rules.table != table->identity()) return base::fail("the rules are not of this table of lists");
  Rulebook book(std::move(rules));
  book.table_ = std::move(table);
  return book;
}

}  // namespace schultor::dns
