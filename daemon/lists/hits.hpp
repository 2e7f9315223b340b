// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/lists/list_set.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace schultor::lists {

/// Which lists hold a name, and how specific each of them is.
struct Hits {
  ListSet lists;
  /// The lists that hold every name below it, by an entry no shorter than the one that holds the name itself. Not the same: an
  /// entry may mean a name alone, or those below it alone.
  ListSet below;
  /// Of each list in `lists`, the labels of its longest entry that holds the name; 0 for the others.
  std::array<std::uint8_t, most_lists> labels{};

  /// The labels of the longest entry in any of `among`; 0 where none of them holds the name.
  [[nodiscard]] int most_specific(const ListSet& among) const {
    int most = 0;
    (lists & among).for_each([&](std::size_t list) { most = std::max<int>(most, labels[list]); });
    return most;
  }
};

/// The last `labels` labels of a name: the entry that holds it, where there are so many in the entry.
[[nodiscard]] inline std::string_view entry_of(std::string_view name, int labels) {
  auto begin = name.size();
  for (int i = 0; i < labels && begin != 0; ++i) {
    const auto dot = begin == name.size() ? name.rfind('.') : name.rfind('.', begin - 2);
    begin = dot == std::string_view::npos ? 0 : dot + 1;
  }
  return name.substr(begin);
}

}  // namespace schultor::lists
