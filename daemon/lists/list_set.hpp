// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>

namespace schultor::lists {

/// Lists that one table can hold. The whole of UT1 has about seventy.
inline constexpr std::size_t most_lists = 128;
/// Networks that the lists of one rule may hold. The kernel takes so many into a set in about a second.
inline constexpr std::size_t most_networks_of_a_rule = 65536;

/// Some of a table's lists, by number: number 0 is the first of Table's names.
class ListSet {
public:
  constexpr ListSet() = default;
  constexpr explicit ListSet(std::array<std::uint64_t, 2> words) : words_(words) {}
  /// `list` is below most_lists.
  [[nodiscard]] static constexpr ListSet of(std::size_t list) {
    ListSet one;
    one.insert(list);
    return one;
  }

  constexpr void insert(std::size_t list) { words_[list / 64] |= std::uint64_t{1} << (list % 64); }
  [[nodiscard]] constexpr bool contains(std::size_t list) const { return (words_[list / 64] >> (list % 64) & 1U) != 0; }
  [[nodiscard]] constexpr bool empty() const { return (words_[0] | words_[1]) == 0; }
  [[nodiscard]] constexpr std::array<std::uint64_t, 2> words() const { return words_; }

  constexpr ListSet& operator|=(const ListSet& other) {
    words_[0] |= other.words_[0];
    words_[1] |= other.words_[1];
    return *this;
  }
  friend constexpr ListSet operator|(ListSet a, const ListSet& b) { return a |= b; }
  friend constexpr ListSet operator&(const ListSet& a, const ListSet& b) {
    return ListSet({a.words_[0] & b.words_[0], a.words_[1] & b.words_[1]});
  }
  [[nodiscard]] constexpr ListSet without(const ListSet& other) const {
    return ListSet({words_[0] & ~other.words_[0], words_[1] & ~other.words_[1]});
  }
  auto operator<=>(const ListSet&) const = default;

  /// Calls `what` with the number of each list, ascending.
  template <typename What>
  constexpr void for_each(What what) const {
    for (std::size_t i = 0; i < words_.size(); ++i)
      for (std::uint64_t rest = words_[i]; rest != 0; rest &= rest - 1)
        what(i * 64 + static_cast<std::size_t>(std::countr_zero(rest)));
  }

private:
  std::array<std::uint64_t, 2> words_{};
};

}  // namespace schultor::lists
