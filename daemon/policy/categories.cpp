// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/categories.hpp"

#include <utility>

namespace schultor::policy {

Categories::Categories(std::vector<Category> named) : named_(std::move(named)) {
  for (const auto& category : named_)
    if (category.number) numbers_.insert(*category.number);
}

void Categories::number(const NumberOfList& number_of) {
  numbers_ = {};
  for (auto& category : named_) {
    category.number = number_of(category.list);
    if (category.number) numbers_.insert(*category.number);
  }
}

ListMatch Categories::best(const lists::Hits& hits) const {
  ListMatch best;
  // Most names are on no list at all.
  if ((hits.lists & numbers_).empty()) return best;
  for (const auto& category : named_) {
    if (!category.number || !hits.lists.contains(*category.number)) continue;
    const Specificity specificity{hits.labels[*category.number], true};
    if (best.category == nullptr || specificity > best.specificity) best = {&category, specificity};
  }
  return best;
}

}  // namespace schultor::policy
