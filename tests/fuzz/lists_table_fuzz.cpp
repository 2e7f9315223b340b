// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// A table's file as someone may have left it, opened and asked. So that inputs stay short, the input is not the file: it is what
// differs from a good one, as many times three octets for where and one for what as there are, behind an octet that says how much
// of its end is missing.
#include "tests/fuzz/lists_reading.hpp"

#include <array>
#include <cstring>

using namespace schultor;
using namespace schultor::fuzz;

namespace {

const lists::Image& good() {
  static const lists::Image image = [] {
    lists::Collection collection;
    const auto games = collection.add_list("games").value();
    const auto adult = collection.add_list("adult").value();
    for (int i = 0; i < 300; ++i)
      collection.add_name(i % 3 == 0 ? games : adult, "name" + std::to_string(i) + ".example", lists::Scope::both);
    collection.add_name(games, "self.example", lists::Scope::self);
    collection.add_name(adult, "below.self.example", lists::Scope::below);
    collection.add_network(games, base::parse_prefix("192.0.2.0/24").value());
    return lists::build(collection).value();
  }();
  return image;
}

void ask(const lists::Table& table) {
  constexpr std::array<std::string_view, 8> names{
      "name7.example", "a.b.c.name8.example", "self.example", "x.below.self.example", "", "..", ".example", "example"};
  for (const auto name : names) {
    const auto hits = table.look_up(name);
    hits.lists.for_each([&](std::size_t list) { require(list < table.lists() && hits.labels[list] >= 1); });
  }
  require(table.look_up(std::string(300, 'a')).lists.empty());
  std::string deep = "example";
  for (int i = 0; i < 126; ++i) deep.insert(0, "a.");
  (void)table.look_up(deep.substr(deep.size() - lists::longest_name));
  for (std::size_t i = 0; i < table.lists(); ++i) require(table.list(i).name.size() <= 65536);
  (void)table.find_list("adult");
  for (std::size_t i = 0; i < table.networks(); ++i)
    if (const auto network = table.network(i)) require(!base::to_string(network->prefix).empty());
}

/// A table of exactly these octets, so that a sanitizer sees each step beyond them.
void open(const std::vector<std::byte>& octets, bool is_good) {
  const auto table = lists::Table::over(octets);
  require(table.has_value() || !is_good);
  if (!table) return;
  const bool verified = table->verify_head() && table->verify_body();
  require(verified == is_good);
  ask(*table);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t change = 4;
  auto octets = good();
  if (size > 0) octets.resize(octets.size() - std::min(octets.size(), std::size_t{data[0]} * 8));
  for (std::size_t at = 1; at + change <= size && !octets.empty(); at += change) {
    const std::size_t where = (data[at] | std::size_t{data[at + 1]} << 8U | std::size_t{data[at + 2]} << 16U) % octets.size();
    octets[where] = std::byte{data[at + 3]};
  }
  octets.shrink_to_fit();
  open(octets, octets == good());
  // And the input itself, which mostly is none.
  const auto* begin = reinterpret_cast<const std::byte*>(data);
  const auto alone = std::vector<std::byte>(begin, begin + size);
  open(alone, alone == good());
  return 0;
}
