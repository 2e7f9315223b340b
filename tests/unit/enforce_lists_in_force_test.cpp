// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// From a table's file to the lists that a configuration is applied with.
#include "daemon/enforce/lists_in_force.hpp"
#include "daemon/lists/build.hpp"
#include "daemon/lists/table_file.hpp"
#include "tests/catch.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

using namespace schultor;
using namespace schultor::enforce;

namespace {

base::Prefix prefix(const char* text) { return base::parse_prefix(text).value(); }

policy::Categories categories(const std::vector<std::string>& lists, int line) {
  std::vector<policy::Category> named;
  for (const auto& list : lists) named.push_back({list, {"city.toml", line}});
  return policy::Categories(std::move(named));
}

/// malware never; leisure without games, by the city, and without chat, by the school; school without any.
policy::GateRules rules() {
  policy::GateRules made;
  made.never_lists = categories({"malware"}, 5);
  made.profiles.resize(2);
  made.profiles[0].name = "leisure";
  made.profiles[0].city_block_lists = categories({"games"}, 9);
  made.profiles[0].block_lists = categories({"chat"}, 3);
  made.profiles[1].name = "school";
  return made;
}

struct Disk {
  std::filesystem::path directory;
  std::string file;

  Disk() {
    std::string pattern = std::filesystem::temp_directory_path() / "schultor-lists-XXXXXX";
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    directory = pattern;
    file = directory / "lists.table";
  }
  ~Disk() { std::filesystem::remove_all(directory); }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  void write(const std::vector<std::string>& names) const {
    lists::Collection collection;
    for (const auto& name : names) {
      const auto list = collection.add_list(name).value();
      collection.add_name(list, name + ".test", lists::Scope::both);
      collection.add_network(list, prefix(name == "malware" ? "192.0.2.0/24"
                                          : name == "games" ? "2001:db8:51::/48"
                                                            : "203.0.113.7/32"));
    }
    REQUIRE(lists::write_table(file, lists::build(collection).value()));
  }
  [[nodiscard]] std::string refusal() const {
    auto made = rules();
    const auto taken = take_lists(file, made);
    CHECK_FALSE(taken.lists);
    REQUIRE(taken.errors.size() == 1);
    return taken.errors[0];
  }
};

bool holds(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

SCENARIO("rules that name no list want no table") {
  policy::GateRules none;
  const auto taken = take_lists("/nowhere/lists.table", none);
  REQUIRE(taken.lists);
  CHECK(taken.lists->table == nullptr);
  CHECK_FALSE(none.table);
}

SCENARIO("lists are numbered by the very table that goes along, and their networks are the rules'") {
  const Disk disk;
  disk.write({"zoo", "malware", "games", "chat"});
  auto made = rules();
  const auto taken = take_lists(disk.file, made);
  REQUIRE(taken.lists);
  REQUIRE(taken.lists->table != nullptr);
  const auto mapped = lists::MappedTable::map(taken.lists->table->get());
  REQUIRE(mapped);
  CHECK(made.table == mapped->table().identity());
  for (const auto* category : policy::named_lists(made)) CHECK(category->number == mapped->table().find_list(category->list));
  CHECK(taken.lists->networks.never == std::vector{prefix("192.0.2.0/24")});
  // A profile without lists has no sets.
  REQUIRE(taken.lists->networks.blocked.size() == 1);
  CHECK(taken.lists->networks.blocked.at("leisure").size() == 2);
  // Without a table the sets are there, and empty: the ruleset is of the same shape.
  const auto without = networks_of(made, nullptr);
  REQUIRE(without);
  CHECK(without->never.empty());
  CHECK(without->blocked.at("leisure").empty());
}

SCENARIO("a table that is of no use is refused with what to do") {
  const Disk disk;
  CHECK(holds(disk.refusal(), "lists.table: No such file or directory: run “schultorctl lists compile”"));
  disk.write({"malware", "gamess", "chat"});
  const auto missing = disk.refusal();
  CHECK(holds(missing, "city.toml:9: error: there is no list “games” in "));
  CHECK(holds(missing,
              "run “schultorctl lists compile”, or “schultorctl lists update” where it is downloaded, or did you mean “gamess”?"));

  disk.write({"malware", "games", "chat"});
  std::string octets;
  {
    std::ifstream in(disk.file, std::ios::binary);
    octets.assign(std::istreambuf_iterator<char>(in), {});
  }
  for (const std::size_t at : {std::size_t{0}, octets.size() / 2, octets.size() - 1}) {
    auto spoilt = octets;
    spoilt[at] = static_cast<char>(spoilt[at] ^ 4);
    std::ofstream(disk.file, std::ios::binary) << spoilt;
    CAPTURE(at);
    CHECK(holds(disk.refusal(), "run “schultorctl lists compile”"));
  }
  std::ofstream(disk.file, std::ios::binary) << octets.substr(0, octets.size() - 8);
  CHECK(holds(disk.refusal(), "run “schultorctl lists compile”"));
  // One that nobody writes to would be waited for.
  std::filesystem::remove(disk.file);
  REQUIRE(mkfifo(disk.file.c_str(), 0600) == 0);
  CHECK(holds(disk.refusal(), "no regular file"));
}

SCENARIO("more networks than the kernel should take are refused by the name of who asks for them") {
  lists::Collection collection;
  const auto list = collection.add_list("games").value();
  for (std::size_t i = 0; i <= lists::most_networks_of_a_rule; ++i) {
    const std::array<std::uint8_t, 4> octets{static_cast<std::uint8_t>(60 + (i >> 16)), static_cast<std::uint8_t>(i >> 8),
                                             static_cast<std::uint8_t>(i), 1};
    collection.add_network(list, {base::address_from_bytes(octets), 32});
  }
  const auto image = lists::build(collection).value();
  const auto table = lists::Table::over(image).value();
  auto made = rules();
  policy::number_lists(made, [&](std::string_view name) { return table.find_list(name); });
  const auto refused = networks_of(made, &table);
  REQUIRE_FALSE(refused);
  CHECK(holds(refused.error().what(), "the block_categories of profile “leisure” hold 65537 networks, expected at most 65536"));
}
