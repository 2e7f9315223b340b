// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/config/diagnostic.hpp"
#include "daemon/lists/list_set.hpp"
#include "daemon/lists/reader.hpp"
#include "daemon/lists/take.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::lists {

/// What all lists hold, as it was read: the stage between their files and the table.
class Collection {
public:
  struct List {
    std::string name;
    std::uint64_t junk = 0;
    std::uint64_t unusable = 0;
    std::optional<std::size_t> same_as;  ///< another name of that list
  };
  struct Network {
    base::Prefix prefix;
    std::size_t list = 0;
  };
  /// One line's name. The view lives as long as the collection is not added to.
  struct Entry {
    std::string_view name;
    std::size_t list = 0;
    Scope scope = Scope::both;
    std::size_t next = 0;  ///< the position of the entry behind it
  };

  static constexpr std::size_t most_names = 20'000'000;
  static constexpr std::size_t most_networks = 4'000'000;

  /// A further list; its number. Fails beyond most_lists.
  base::Result<std::size_t> add_list(std::string name, std::optional<std::size_t> same_as = std::nullopt);
  /// `name` as read_name() spells it. Beyond most_names nothing is added, and is_full() says so; the same goes for networks.
  void add_name(std::size_t list, std::string_view name, Scope scope);
  void add_network(std::size_t list, const base::Prefix& prefix);
  void count(std::size_t list, LeftOut kind);

  [[nodiscard]] const std::vector<List>& lists() const { return lists_; }
  [[nodiscard]] const std::vector<Network>& networks() const { return networks_; }
  [[nodiscard]] bool is_full() const { return is_full_; }
  /// Entries as they were read, the same name more than once.
  [[nodiscard]] std::size_t entries() const { return entries_; }
  /// Entries one after the other, in the order in which they were read: from position 0 while it is below size().
  [[nodiscard]] Entry entry(std::size_t position) const;
  [[nodiscard]] std::size_t size() const { return text_.size(); }
  /// All entries as octets, to tell one collection from another.
  [[nodiscard]] std::string_view octets() const { return text_; }
  /// Of a list and all its other names.
  [[nodiscard]] ListSet same_lists(std::size_t list) const;

private:
  std::vector<List> lists_;
  std::vector<Network> networks_;
  std::string text_;  ///< for each entry: the name's size, the list, the scope, the name
  std::size_t entries_ = 0;
  bool is_full_ = false;
};

/// Puts what one file holds into a list, and what it leaves out into `out`: the first few lines, then how many there were.
class FileSink final : public Sink {
public:
  static constexpr std::size_t most_shown = 10;

  /// `file` as messages name it: "lists/games/domains". `collection` and `out` outlive this.
  FileSink(Collection& collection, std::size_t list, std::string file, config::Diagnostics& out);
  void name(std::string_view name, Scope scope) override;
  void prefix(const base::Prefix& prefix) override;
  void left_out(LeftOut kind, Place place, std::string_view text, std::string_view why) override;
  /// After the last line.
  void finish();
  [[nodiscard]] const Counted& counted() const { return counted_; }

private:
  Collection& collection_;
  std::size_t list_;
  std::string file_;
  config::Diagnostics& out_;
  Counted counted_;
};

}  // namespace schultor::lists
