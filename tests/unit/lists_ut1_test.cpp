// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/build.hpp"
#include "daemon/lists/name.hpp"
#include "daemon/lists/table.hpp"
#include "tests/catch.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

using namespace schultor;
using namespace schultor::lists;
namespace fs = std::filesystem;

namespace {

/// Files CATEGORY.domains of the UT1 lists: below SCHULTOR_TEST_DATA, or ../shared/data beside the sources.
fs::path ut1() {
  const char* given = std::getenv("SCHULTOR_TEST_DATA");
  return (given != nullptr ? fs::path(given) : fs::path(SCHULTOR_SOURCE_DIR) / "../shared/data") / "ut1";
}

[[noreturn]] void skip() {
  std::printf("skipped: there are no UT1 lists in %s (SCHULTOR_TEST_DATA names another place)\n", ut1().c_str());
  std::fflush(stdout);
  std::_Exit(77);
}

std::map<std::string, std::string> lists_of_ut1() {
  std::map<std::string, std::string> lists;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(ut1(), error)) {
    std::ostringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    if (entry.path().extension() == ".domains") lists[entry.path().stem().string()] = text.str();
  }
  return lists;
}

}  // namespace

TEST_CASE("each line of the UT1 lists is found on its list, or was told") {
  const auto lists = lists_of_ut1();
  if (lists.empty()) skip();
  Collection collection;
  config::Diagnostics faults;
  for (const auto& [name, text] : lists) {
    CHECK(detect_format(text) == Format::domains);
    const auto number = collection.add_list(name).value();
    FileSink sink(collection, number, name, faults);
    read_list(text, Format::domains, sink);
    sink.finish();
  }
  const auto image = build(collection).value();
  const auto table = Table::over(image).value();
  std::size_t number = 0;
  for (const auto& [name, text] : lists) {
    std::size_t lines = 0, found = 0;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
      NameBuffer buffer{};
      lines += line.empty() ? 0 : 1;
      found += table.look_up(read_name(line, Labels::any, buffer).name).lists.contains(number) ? 1 : 0;
    }
    const auto& list = table.list(number);
    INFO(name << ": " << lines << " lines, " << list.names << " names, " << list.networks << " networks, " << list.junk << " junk");
    CHECK(list.names > 1000);
    CHECK(list.names <= found);
    // A network is one line; the same line twice is one name.
    CHECK(found + list.networks + list.junk + list.unusable <= lines);
    CHECK(found + list.networks + list.junk + list.unusable + 50 >= lines);
    CHECK(list.junk * 200 < lines);
    ++number;
  }
  CHECK(table.look_up("www.google.com").lists.empty());
  CHECK(table.look_up("example").lists.empty());
}
