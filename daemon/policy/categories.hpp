// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/lists/hits.hpp"
#include "daemon/policy/name_patterns.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::policy {

/// A list of names that a rule closes.
struct Category {
  std::string list;                     ///< its name
  Source source;                        ///< where the rule names it
  std::optional<std::size_t> number{};  ///< in the table that names are looked up in; none: it holds nothing

  bool operator==(const Category&) const = default;
};

/// The list that holds a name, and how specific its entry is: as a name without wildcards of so many labels.
struct ListMatch {
  const Category* category = nullptr;  ///< borrowed; null where no list holds the name
  Specificity specificity;
};

/// Gives a list's number by its name; none where there is no such list.
using NumberOfList = std::function<std::optional<std::size_t>(std::string_view)>;

/// The lists that a rule names. They close names and never open any: see lists::Table.
class Categories {
public:
  Categories() = default;
  explicit Categories(std::vector<Category> named);

  [[nodiscard]] const std::vector<Category>& named() const { return named_; }
  /// The same lists by the numbers of another table.
  void number(const NumberOfList& number_of);

  /// The most specific of them, the first named where there are several.
  [[nodiscard]] ListMatch best(const lists::Hits& hits) const;
  [[nodiscard]] const lists::ListSet& numbers() const { return numbers_; }

private:
  std::vector<Category> named_;
  lists::ListSet numbers_;  ///< of all that have one
};

}  // namespace schultor::policy
