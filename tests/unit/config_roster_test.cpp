// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/file_readers.hpp"
#include "tests/catch.hpp"

using namespace schultor::config;

namespace {

std::vector<std::string> read(const std::string& text, std::vector<RosterEntry>& entries) {
  Diagnostics out;
  entries = read_roster(text, "roster.csv", out);
  std::vector<std::string> lines;
  for (const auto& one : std::move(out).take()) lines.push_back(to_string(one));
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a roster is read as spreadsheets write it") {
  std::vector<RosterEntry> entries;
  const auto faults = read(
      "\xef\xbb\xbf# the school's tablets\r\nMAC;Group;Name\r\n\r\n02-77-00-00-00-01; 3b ;\"Tablet; \"\"eins\"\"\"\r\n# "
      "moved\r\n0277.0000.0002;\"3b\"",
      entries);
  CHECK(faults.empty());
  REQUIRE(entries.size() == 2);
  CHECK(schultor::base::to_string(entries[0].mac) == "02:77:00:00:00:01");
  CHECK(entries[0].group.value == "3b");
  CHECK(entries[0].group.source == Source{"roster.csv", 4, 20});
  CHECK(entries[0].name == "Tablet; \"eins\"");
  CHECK(entries[1].group.value == "3b");
  CHECK(read("mac,group\n", entries).empty());
  CHECK(entries.empty());
}

TEST_CASE("each fault of a roster is told with its line") {
  std::vector<RosterEntry> entries;
  const auto faults = read(
      "mac,group\n"
      "02:77:00:00:00:01,3b\n"
      "02:77:00:00:00:0x,3b\n"
      "02-77-00-00-00-01,3c\n"
      "02:77:00:00:00:02\n"
      "02:77:00:00:00:03,3b,name\n"
      "01:00:5e:00:00:01,3b\n"
      "02:77:00:00:00:04,\n"
      "02:77:00:00:00:05,\"3b\n"
      "02:77:00:00:00:06,g\xe4ste\n",
      entries);
  CHECK(entries.size() == 1);
  REQUIRE(faults.size() == 8);
  CHECK(faults[1] == "roster.csv:4:1: error: 02:77:00:00:00:01 is in the roster twice, first at roster.csv:2");
  CHECK(faults[6].find("roster.csv:9:") == 0);
  CHECK(faults[7] == "roster.csv:10:1: error: the line is not in UTF-8: save the file in that encoding");
}

TEST_CASE("a place in a roster is counted in characters") {
  std::vector<RosterEntry> entries;
  const auto name = std::string(129, 'x');
  CHECK(read("mac,group,name\n02:77:00:00:00:01,gäste," + name + "\n", entries) ==
        Lines{"roster.csv:2:25: error: the name is longer than 128 octets"});
}

TEST_CASE("a roster without its header line is refused") {
  std::vector<RosterEntry> entries;
  CHECK(read("", entries) == Lines{"roster.csv:1:1: error: the header line is missing, expected “mac,group” or “mac,group,name”"});
  CHECK(read("02:77:00:00:00:01,3b\n", entries).size() == 1);
  CHECK(read("mac,group,name,more\n", entries).size() == 1);
  CHECK(read("group,mac\n", entries).size() == 1);
}
