// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/collection.hpp"

#include <algorithm>
#include <utility>

namespace schultor::lists {
namespace {

constexpr std::size_t entry_head = 3;

/// What was found, in a line of a message. No letter is cut in two.
std::string_view excerpt(std::string_view text) {
  std::size_t size = 60;
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) --size;
  return text.substr(0, size);
}

}  // namespace

base::Result<std::size_t> Collection::add_list(std::string name, std::optional<std::size_t> same_as) {
  if (lists_.size() == most_lists)
    return base::fail("there are more than {} lists: leave out those that no profile names", most_lists);
  lists_.push_back({std::move(name), 0, 0, same_as});
  return lists_.size() - 1;
}

void Collection::add_name(std::size_t list, std::string_view name, Scope scope) {
  if (entries_ == most_names) {
    is_full_ = true;
    return;
  }
  ++entries_;
  text_ += static_cast<char>(name.size());
  text_ += static_cast<char>(list);
  text_ += static_cast<char>(scope);
  text_ += name;
}

void Collection::add_network(std::size_t list, const base::Prefix& prefix) {
  if (networks_.size() == most_networks) is_full_ = true;
  else networks_.push_back({prefix, list});
}

void Collection::count(std::size_t list, LeftOut kind) { ++(kind == LeftOut::junk ? lists_[list].junk : lists_[list].unusable); }

Collection::Entry Collection::entry(std::size_t position) const {
  const std::size_t size = static_cast<unsigned char>(text_[position]);
  return {std::string_view(text_).substr(position + entry_head, size), static_cast<unsigned char>(text_[position + 1]),
          static_cast<Scope>(text_[position + 2]), position + entry_head + size};
}

ListSet Collection::same_lists(std::size_t list) const {
  auto all = ListSet::of(list);
  for (std::size_t i = 0; i < lists_.size(); ++i)
    if (lists_[i].same_as == list) all.insert(i);
  return all;
}

FileSink::FileSink(Collection& collection, std::size_t list, std::string file, config::Diagnostics& out)
    : collection_(collection), list_(list), file_(std::move(file)), out_(out) {}

void FileSink::name(std::string_view name, Scope scope) {
  ++counted_.entries;
  collection_.add_name(list_, name, scope);
}

void FileSink::prefix(const base::Prefix& prefix) {
  ++counted_.entries;
  ++counted_.networks;
  collection_.add_network(list_, prefix);
}

void FileSink::left_out(LeftOut kind, Place place, std::string_view text, std::string_view why) {
  collection_.count(list_, kind);
  ++(kind == LeftOut::junk ? counted_.junk : counted_.unusable);
  if (counted_.junk + counted_.unusable <= most_shown)
    out_.warning({file_, place.line, place.column}, fmt::format("“{}”: {}", excerpt(text), why));
}

void FileSink::finish() {
  if (counted_.entries + counted_.junk + counted_.unusable == 0)
    out_.warning({file_, 0, 0}, "there is no name and no address in it");
  if (counted_.junk + counted_.unusable <= most_shown) return;
  out_.warning({file_, 0, 0}, fmt::format("{} lines cannot be read and {} cannot be used, of which the first {} are shown",
                                          counted_.junk, counted_.unusable, most_shown));
}

}  // namespace schultor::lists
