// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/build.hpp"
#include "daemon/lists/directory.hpp"
#include "daemon/lists/name_in_files.hpp"
#include "daemon/lists/table_file.hpp"
#include "tests/catch.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using namespace schultor;
using namespace schultor::lists;
namespace fs = std::filesystem;

namespace {

/// A directory that goes with the test.
class Directory {
public:
  Directory() {
    auto name = (fs::temp_directory_path() / "schultor-lists-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] fs::path operator/(const std::string& name) const { return path_ / name; }
  void write(const std::string& name, std::string_view text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
  }

private:
  fs::path path_;
};

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

Image small_image(const std::string& name) {
  Collection collection;
  const auto list = collection.add_list("games").value();
  collection.add_name(list, name, Scope::both);
  return build(collection).value();
}

base::Result<Gathered> gather_from(const fs::path& folder) { return gather(std::span(&folder, 1)); }

std::vector<std::string> said_of(const Gathered& gathered) {
  std::vector<std::string> all;
  for (const auto& one : gathered.diagnostics) all.push_back(config::to_string(one));
  return all;
}

}  // namespace

SCENARIO("a folder of lists as UT1 and others leave it") {
  const Directory directory;
  directory.write("lists/games/domains", "spiele.example\n192.0.2.7\nno name\n");
  directory.write("lists/games/urls", "spiele.example/x\n");
  directory.write("lists/games/usage", "black\n");
  directory.write("lists/games/more.hosts", "0.0.0.0 game.example\n");
  directory.write("lists/werbung.adblock", "||ads.example^\n||x.example^$script\n");
  directory.write("lists/README", "hello\n");
  directory.write("lists/.hidden/domains", "hidden.example\n");
  directory.write("lists/empty/expressions", "x\n");
  directory.write("lists/packed/domains.gz", "x\n");
  directory.write("lists/nested/deeper/domains", "x.example\n");
  fs::create_directory_symlink("games", directory / "lists/ads");

  const auto gathered = gather_from(directory / "lists/");
  REQUIRE(gathered);
  const auto image = build(gathered->collection).value();
  const auto table = Table::over(image).value();
  std::vector<std::string> lists;
  for (std::size_t i = 0; i < table.lists(); ++i)
    lists.push_back(fmt::format("{} {} {} {} {}", table.list(i).name, table.list(i).names, table.list(i).networks,
                                table.list(i).junk, table.list(i).unusable));
  CHECK(lists == std::vector<std::string>{"ads 2 1 1 0", "empty 0 0 0 0", "games 2 1 1 0", "nested 0 0 0 0", "packed 0 0 0 0",
                                          "werbung 1 0 0 1"});
  CHECK(table.look_up("x.game.example").lists == (ListSet::of(0) | ListSet::of(2)));
  CHECK(said_of(*gathered) ==
        std::vector<std::string>{
            "lists/README: warning: ignored: it is no list",
            "lists/empty/expressions: warning: ignored: addresses of pages and expressions cannot be told by a name server",
            "lists/games/urls: warning: ignored: addresses of pages and expressions cannot be told by a name server",
            "lists/games/usage: warning: ignored: it is no list",
            "lists/nested/deeper: warning: ignored: folders of lists have no folders in them",
            "lists/packed/domains.gz: warning: ignored: it is packed, unpack it",
            "lists/empty: warning: there is no list of names in it",
            "lists/nested: warning: there is no list of names in it",
            "lists/packed: warning: there is no list of names in it",
            "lists/games/domains:3:1: warning: “no name”: there is more than one word: expected a name or an address",
            "lists/werbung.adblock:2:14: warning: “script”: this option cannot be kept by a name server: expected none, important, "
            "all or document",
        });
}

TEST_CASE("a file that is no list leaves no table without what it closed") {
  const auto fault_of = [](std::string_view file, std::string_view text) {
    const Directory directory;
    directory.write("lists/good.domains", "good.example\n");
    directory.write(fmt::format("lists/{}", file), std::string(text));
    const auto gathered = gather_from(directory / "lists");
    return gathered ? std::string() : gathered.error().what();
  };
  CHECK(
      fault_of("games.domains", "<!DOCTYPE html>\n<title>404 Not Found</title>\n<p>nothing here</p>\n") ==
      "lists/games.domains: 3 of 3 lines cannot be read: it is no list, or its format or encoding is another one: mend it or take "
      "it away");
  using namespace std::string_view_literals;
  CHECK_FALSE(fault_of("games.domains",
                       "\xff\xfe"
                       "a\0.\0d\0e\0\n\0b\0.\0d\0e\0\n\0"sv)
                  .empty());
  CHECK_FALSE(fault_of("games.domains", "a.example\nno name\nno name\n").empty());
  CHECK(fault_of("games.domains", "a.example\nno name\n").empty());
  CHECK(fault_of("games.adblock", "##.banner\n##.advert\n").empty());
}

TEST_CASE("an empty file is said to be one") {
  const Directory directory;
  directory.write("lists/games.domains", "# all of them have gone\n");
  CHECK(said_of(gather_from(directory / "lists").value()) ==
        std::vector<std::string>{"lists/games.domains: warning: there is no name and no address in it"});
}

SCENARIO("lists that were downloaded lie in a folder of their own") {
  const Directory directory;
  directory.write("etc/lists/games/domains", "spiele.example\n");
  directory.write("etc/lists/own.hosts", "0.0.0.0 own.example\n");
  directory.write("state/lists/games/domains", "game.example\nno name\n");
  directory.write("state/lists/adult/domains", "adult.example\n");
  directory.write("state/lists/deeper/domains", "deeper.example\n");
  // Links of one folder to lists that the other one has as well, and a link to a link.
  fs::create_directory_symlink("adult", directory / "state/lists/porn");
  fs::create_directory_symlink("games", directory / "state/lists/own");
  fs::create_directory_symlink("porn", directory / "state/lists/x");
  const std::array folders{directory / "etc/lists/", directory / "state/lists"};

  const auto gathered = gather(folders).value();
  const auto image = build(gathered.collection).value();
  const auto table = Table::over(image).value();
  const auto lists_of = [&](std::string_view name) {
    std::string names;
    table.look_up(name).lists.for_each([&](std::size_t list) { names += fmt::format("{} ", table.list(list).name); });
    return names;
  };
  CHECK(lists_of("spiele.example") == "games own ");
  CHECK(lists_of("game.example") == "games own ");
  CHECK(lists_of("own.example") == "own ");
  CHECK(lists_of("adult.example") == "adult porn x ");
  CHECK(lists_of("deeper.example") == "deeper ");
  // What does not lie in the configuration directory is named by its path.
  REQUIRE(said_of(gathered).size() == 2);
  CHECK(said_of(gathered)[0].starts_with((directory / "state/lists/games/domains").string() + ":2:1: warning:"));
  // A folder that is not there holds nothing.
  const std::array one_missing{directory / "nowhere", directory / "state/lists"};
  CHECK(gather(one_missing));
  CHECK_FALSE(gather(std::array{directory / "nowhere"}));
}

TEST_CASE("files say of a name what their table says, and where") {
  const Directory directory;
  directory.write("lists/games/domains", "# games\na\nb.a\n");
  directory.write("lists/games/more.domains", "c.b.a\nb.a\n");
  directory.write("lists/zone.rpz",
                  "$TTL 60\nb.a CNAME .\n*.c.b.a CNAME .\na.c.b.a CNAME .\n*.c CNAME .\nc.c CNAME .\n*.c.c CNAME .\n");
  directory.write("lists/unused.domains", "c.d\n");
  fs::create_directory_symlink("games", directory / "lists/spiele");
  const auto found = config::find_lists(std::array{directory / "lists"}).value();
  const auto image = build(gather(found).value().collection).value();
  const auto table = Table::over(image).value();
  const std::vector<std::string> wanted{"zone", "spiele", "gone"};
  std::vector<std::string> names{"a", "b", "c"};
  for (std::size_t i = 0; names.size() < 363; ++i)
    for (const char* label : {"a.", "b.", "c."}) names.push_back(label + names[i]);
  for (const auto& name : names) {
    CAPTURE(name);
    const auto in_files = find_in_files(found, wanted, name).value();
    const auto in_table = table.look_up(name);
    for (std::size_t i = 0; i < 2; ++i) {
      const auto number = table.find_list(wanted[i]).value();
      REQUIRE(in_files.hits.lists.contains(i) == in_table.lists.contains(number));
      REQUIRE(in_files.hits.below.contains(i) == in_table.below.contains(number));
      REQUIRE(in_files.hits.labels[i] == in_table.labels[number]);
      REQUIRE(in_files.places.contains(i) == in_files.hits.lists.contains(i));
    }
    CHECK_FALSE(in_files.hits.lists.contains(2));
  }
  const auto place = find_in_files(found, wanted, "x.b.a").value().places.at(1);
  CHECK(place.file == "lists/games/domains");
  CHECK(place.line == 3);
  CHECK(find_in_files(found, wanted, "c.b.a").value().places.at(1).file == "lists/games/more.domains");
}

TEST_CASE("of many faults the first are shown and all are counted") {
  const Directory directory;
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "a..b\nads*.example\n";
  directory.write("lists/x/x.domains", text);
  const auto gathered = gather_from(directory / "lists").value();
  CHECK(gathered.collection.lists()[0].junk == 5000);
  CHECK(gathered.diagnostics.size() == FileSink::most_shown + 1);
  CHECK(std::any_of(gathered.diagnostics.begin(), gathered.diagnostics.end(), [](const auto& one) {
    return one.text == "5000 lines cannot be read and 5000 cannot be used, of which the first 10 are shown";
  }));
}

TEST_CASE("what cannot be read at all is an error, not a list that is missing") {
  const Directory directory;
  CHECK_FALSE(gather_from(directory / "lists"));
  directory.write("lists/x/domains", "a.example\n");
  fs::create_symlink("nowhere", directory / "lists/x/more");
  const auto gathered = gather_from(directory / "lists");
  REQUIRE_FALSE(gathered);
  CHECK(gathered.error().what() == "lists/x/more: it cannot be read: No such file or directory");
  fs::remove(directory / "lists/x/more");
  REQUIRE(mkfifo((directory / "lists/x/pipe").c_str(), 0600) == 0);
  CHECK(gather_from(directory / "lists").error().what() == "lists/x/pipe: it is no regular file");
}

SCENARIO("a table is replaced whole or stays") {
  const Directory directory;
  directory.write("state/x", "");
  const auto path = (directory / "state/lists.table").string();
  REQUIRE(write_table(path, small_image("old.example")));
  const auto before = read(path);
  const auto old = MappedTable::open(path);
  REQUIRE(old);
  WHEN("another is written") {
    REQUIRE(write_table(path, small_image("new.example")));
    THEN("whoever opens it finds the new one, whoever had it open keeps the old one") {
      CHECK_FALSE(MappedTable::open(path)->table().look_up("new.example").lists.empty());
      CHECK_FALSE(old->table().look_up("old.example").lists.empty());
      CHECK(old->table().verify_body());
    }
  }
  WHEN("what is written is no table") {
    auto image = small_image("new.example");
    image.back() ^= std::byte{1};
    CHECK_FALSE(write_table(path, image));
    CHECK_FALSE(write_table(path, Image(100)));
    THEN("the old one is there, and nothing else") {
      CHECK(read(path) == before);
      CHECK(files_in(directory / "state") == 2);
    }
  }
  WHEN("there is no place for it") {
    CHECK_FALSE(write_table((directory / "nowhere/lists.table").string(), small_image("new.example")));
  }
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0644U);
}

TEST_CASE("a file that is no whole table is refused with its name") {
  const Directory directory;
  const auto path = (directory / "lists.table").string();
  CHECK(MappedTable::open(path).error().what() == path + ": No such file or directory");
  directory.write("lists.table", "");
  CHECK(MappedTable::open(path).error().what() == path + ": this is no table of lists: it is too short");
  const auto image = small_image("a.example");
  const std::string octets(reinterpret_cast<const char*>(image.data()), image.size());
  directory.write("lists.table", octets.substr(0, octets.size() - 64));
  CHECK(MappedTable::open(path).error().what().find("it was cut off or altered") != std::string::npos);
  directory.write("lists.table", octets + std::string(64, '\0'));
  CHECK_FALSE(MappedTable::open(path));
  auto altered = octets;
  altered[165] = '\x07';
  directory.write("lists.table", altered);
  CHECK(MappedTable::open(path).error().what().find("is not as it was written") != std::string::npos);
  CHECK(MappedTable::open((directory / "").string()).error().what().find("no regular file") != std::string::npos);
  // What lies in the buckets is looked at only when asked for.
  altered = octets;
  altered.back() ^= '\x01';
  directory.write("lists.table", altered);
  const auto mapped = MappedTable::open(path);
  REQUIRE(mapped);
  CHECK_FALSE(mapped->table().verify_body());
}
