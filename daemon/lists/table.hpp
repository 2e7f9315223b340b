// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"
#include "daemon/base/result.hpp"
#include "daemon/lists/hits.hpp"
#include "daemon/lists/table_layout.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace schultor::lists {

/// One list of a table, and what was found when it was read.
struct ListInfo {
  std::string_view name;
  std::uint64_t names = 0;
  std::uint64_t networks = 0;
  std::uint64_t junk = 0;      ///< lines that could not be read
  std::uint64_t unusable = 0;  ///< lines that say what a table cannot hold
};

/// A network and the lists that it is on.
struct ListedNetwork {
  base::Prefix prefix;
  ListSet lists;
};

/// All block lists as one table of names, over octets that someone else keeps (MappedTable). Cheap to copy; threads may share it.
///
/// A name is found by its hash alone. A name that is on no list is taken for one with a chance of n · 2^-64 for each of its
/// suffixes (n names in the table), or for small tables of some 8 · 2^-48: a million questions a day meet one in more than a
/// thousand years. Among the names of the table itself there is no such mistake: the compiler has looked. As the file holds the
/// key, who can read it can search for names that are taken for listed ones: let a table close names, never open them.
class Table {
public:
  /// Reads the header and checks all bounds, without a look at the buckets: a broken table gives wrong answers later, but no other
  /// harm. `octets` begin at a multiple of 8 (of 64 for a bucket to be one cache line).
  [[nodiscard]] static base::Result<Table> over(std::span<const std::byte> octets);
  /// Whether header, lists and sets are as they were written. Reads what lies before the buckets.
  [[nodiscard]] base::Result<void> verify_head() const;
  /// Whether the buckets and networks are. Reads them all, so it is not for each start.
  [[nodiscard]] base::Result<void> verify_body() const;

  /// All lists that hold `name` (lower case, A-labels, no dot at its end). Touches a cache line or two for each label, and no
  /// memory else.
  [[nodiscard]] Hits look_up(std::string_view name) const;

  [[nodiscard]] std::size_t lists() const { return header_.lists; }
  [[nodiscard]] ListInfo list(std::size_t number) const;
  /// By name; none where there is no such list.
  [[nodiscard]] std::optional<std::size_t> find_list(std::string_view name) const;

  [[nodiscard]] std::uint64_t names() const { return header_.names; }
  [[nodiscard]] std::size_t networks() const { return header_.networks; }
  /// Sorted by family, address and length. None where the octets make no network.
  [[nodiscard]] std::optional<ListedNetwork> network(std::size_t number) const;

  /// The entry of exactly this hash: for the compiler, which checks each name.
  [[nodiscard]] layout::Set find(std::uint64_t hash) const;
  [[nodiscard]] const SipKey& key() const { return header_.key; }
  /// What tells this table from any other one.
  [[nodiscard]] const Digest& identity() const { return header_.head; }

private:
  Table() = default;
  [[nodiscard]] base::Result<void> check_lists() const;
  [[nodiscard]] base::Result<void> check_sets() const;

  layout::Header header_;
  std::span<const std::byte> head_;  ///< up to the buckets
  std::span<const std::byte> body_;
  std::span<const layout::List> lists_;
  std::string_view list_names_;
  std::span<const layout::Set> sets_;
  std::span<const layout::Bucket> buckets_;
  std::span<const layout::Network> networks_;
};

}  // namespace schultor::lists
