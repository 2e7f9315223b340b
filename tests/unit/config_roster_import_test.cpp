// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/roster_import.hpp"
#include "daemon/config/roster_line.hpp"
#include "tests/catch.hpp"

using namespace schultor;
using namespace schultor::config;

namespace {

GroupNames names(const std::vector<std::string>& renames = {}) {
  auto groups = GroupNames::of({"3a", "3b", "lehrkräfte"}, renames);
  REQUIRE(groups);
  return *groups;
}

struct Imported {
  std::optional<Export> read;
  std::vector<std::string> faults;  ///< the last one is the error where there is nothing else
};

Imported import(std::string_view text, const std::string& map = "jamf-school", const std::vector<std::string>& renames = {}) {
  auto groups = names(renames);
  Diagnostics out;
  auto read = read_export(text, "x.csv", parse_export_map(map).value(), groups, out);
  Imported imported;
  for (const auto& one : std::move(out).take()) imported.faults.push_back(to_string(one));
  if (read) imported.read = std::move(*read);
  else imported.faults.push_back(read.error().what());
  return imported;
}

std::vector<std::string> lines(const Imported& imported) {
  std::vector<std::string> list;
  REQUIRE(imported.read);
  for (const auto& device : imported.read->devices)
    list.push_back(fmt::format("{} {} {}", base::to_string(device.mac), device.group, device.name));
  return list;
}

std::string map_error(const std::string& map) {
  const auto parsed = parse_export_map(map);
  return parsed ? "" : parsed.error().what();
}

std::string rename_error(const std::vector<std::string>& renames) {
  const auto groups = GroupNames::of({"3a", "3b"}, renames);
  return groups ? "" : groups.error().what();
}

using Lines = std::vector<std::string>;
const std::string tablet = "02:77:00:00:00:01 3b Tablet 1";

}  // namespace

TEST_CASE("the columns of each management system are found, however they are spelt") {
  for (const std::string text : {"Name;WiFiMAC;MemberOf\nTablet 1;02:77:00:00:00:01;[3b]\n",
                                 "WIFI MAC ADDRESS,device name,Device Group(s)\n02-77-00-00-00-01,Tablet 1,3b\n",
                                 "GERÄTENAME;WLAN-MAC-Adresse;Gerätegruppe(n)\nTablet 1;0277.0000.0001;3b\n"})
    CHECK(lines(import(text)) == Lines{tablet});
  CHECK(lines(import("Device name,Wi-Fi MAC,Category\nTablet 1,027700000001,3b\n", "intune")) == Lines{tablet});
  CHECK(lines(import("Gerätename\tWLAN-MAC\tKategorie\nTablet 1\t027700000001\t3b\n", "Intune")) == Lines{tablet});
  CHECK(lines(import("Name;WLAN MAC;Gruppen\nTablet 1;02:77:00:00:00:01;3b\n", "relution")) == Lines{tablet});
  // The groups say more than the place.
  CHECK(lines(import("LocationName;Name;WiFiMAC;MemberOf\n3a;Tablet 1;02:77:00:00:00:01;3b\n")) == Lines{tablet});
  CHECK(lines(import("LocationName;Name;WiFiMAC\n3b;Tablet 1;02:77:00:00:00:01\n")) == Lines{tablet});
}

TEST_CASE("a map of one's own names the columns, also those with a comma") {
  CHECK(lines(import("Raum, Klasse;MAC;Was\n3b;02:77:00:00:00:01;Tablet 1\n", "mac=mac,group=Raum, Klasse,name=was")) ==
        Lines{tablet});
  CHECK(lines(import("k,m\n3b,02:77:00:00:00:01\n", "group=k,mac=m")) == Lines{"02:77:00:00:00:01 3b "});
  // The very spelling comes before what only looks like it.
  CHECK(lines(import("m.,k,m\nx,3b,02:77:00:00:00:01\n", "group=k,mac=m")) == Lines{"02:77:00:00:00:01 3b "});
  CHECK(map_error("jamf") ==
        "--map: there is no “jamf”, expected jamf-school, relution, intune or “mac=COLUMN,group=COLUMN,name=COLUMN”");
  CHECK(map_error("intunes") == "--map: there is no “intunes”; did you mean “intune”?");
  for (const auto* map :
       {"mac=a", "group=a", "mac=a,group=", "mac=,group=b", "mac=a,group=b,name=", "mac=a,mac=b,group=c", "x=1,mac=a,group=b", ""})
    CHECK_FALSE(map_error(map).empty());
}

TEST_CASE("a header without the columns is told with what was found and expected") {
  const auto imported = import("Serial,Foo\n1,2\n", "mac=MAC,group=Klasse");
  CHECK_FALSE(imported.read);
  CHECK(imported.faults ==
        Lines{"x.csv:1:1: error: no column for the MAC address (expected “MAC”), no column for the group (expected "
              "“Klasse”); found “Serial”, “Foo”; --map \"mac=COLUMN,group=COLUMN,name=COLUMN\" names others"});
  CHECK(import("MAC,Klasse\n", "mac=MAC,group=Klasse,name=Was").faults.back().find("no column for the name (expected “Was”)") !=
        std::string::npos);
  CHECK(import("").faults == Lines{"x.csv:1:1: error: the file is empty, expected a header line and a device a line"});
  CHECK_FALSE(import("\"Name;WiFiMAC").read);
}

TEST_CASE("of a device's groups the one that the school has is meant") {
  auto groups = names({"Klasse 3b=3b", "Alle iPads=", "Kurs, 5=3a"});
  const auto found = [&](std::string_view cell) { return groups.find(cell).groups; };
  CHECK(found("3b") == Lines{"3b"});
  CHECK(found(" 3B ") == Lines{"3b"});
  CHECK(found("LEHRKRÄFTE") == Lines{"lehrkräfte"});
  CHECK(found("Alle Macs, 3b") == Lines{"3b"});
  CHECK(found("[[NRW] Alle Macs,3b,3b]") == Lines{"3b"});
  CHECK(found("[[NRW] Alle Macs,Klasse 3b]") == Lines{"3b"});
  CHECK(found("x\r\n3b") == Lines{"3b"});
  CHECK(found("x|y;3b") == Lines{"3b"});
  CHECK(found("Kurs, 5") == Lines{"3a"});
  CHECK(found("[Alle iPads, 3b]") == Lines{"3b"});
  CHECK(found("3a,3b") == Lines{"3a", "3b"});
  CHECK(groups.find("[NRW] 3b [x]").unknown == Lines{"[NRW] 3b [x]"});
  CHECK(groups.find("x, y, x").unknown == Lines{"x", "y"});
  CHECK(groups.find("Alle iPads").left_out);
  CHECK(groups.find("[Alle iPads,x]").left_out);
  CHECK(groups.find("[Alle iPads,x]").unknown.empty());
  CHECK_FALSE(groups.find("3b").left_out);
  CHECK_FALSE(groups.find("[Alle iPads, 3b]").left_out);
  for (const auto* empty : {"", " ", "[]", ",;"}) {
    CHECK(groups.find(empty).groups.empty());
    CHECK(groups.find(empty).unknown.empty());
    CHECK_FALSE(groups.find(empty).left_out);
  }
}

TEST_CASE("of two groups whose names differ by case alone the very spelling is meant, or none") {
  auto groups = GroupNames::of({"3b", "3B"}, {}).value();
  CHECK(groups.find("3b").groups == Lines{"3b"});
  CHECK(groups.find("3B").groups == Lines{"3B"});
  auto umlauts = GroupNames::of({"ÄB", "äb"}, {}).value();
  CHECK(umlauts.find("Äb").unknown == Lines{"Äb"});
}

TEST_CASE("a rename names a group of the school, once") {
  CHECK(rename_error({"a=3a", "A=3a", "b=c=3b", "x="}).empty());
  CHECK(rename_error({"a=3c"}) == "--rename: there is no group “3c”; did you mean “3a”?");
  CHECK(rename_error({"a=3a", "A=3b"}) == "--rename: “A” is to be “3a” and “3b”, expected one of them");
  CHECK_FALSE(rename_error({"3a"}).empty());
  CHECK_FALSE(rename_error({"=3a"}).empty());
  CHECK(names({"b=c=3b"}).find("b=c").groups == Lines{"3b"});
  CHECK(names().likely("Klasse 3B") == "3b");
  CHECK(names().likely("Lehrkraefte") == "lehrkräfte");
  CHECK(names().likely("Oberstufe").empty());
  const auto unused = import("Name;WiFiMAC;MemberOf\nTablet 1;02:77:00:00:00:01;[3b]\n", "jamf-school", {"Klasse 9=3a", "3b=3a"});
  CHECK(unused.faults == Lines{"x.csv: warning: --rename: no device of the export has the group “Klasse 9”"});
  CHECK(lines(unused) == Lines{"02:77:00:00:00:01 3a Tablet 1"});
}

TEST_CASE("what is no device's line is counted or told with its line") {
  const auto imported = import(
      "WiFiMAC;MemberOf;Name\n"
      ";3b;without\n"
      "00:00:00:00:00:00;3b;zero\n"
      "02:00:00:00:00:00;3b;Android says so\n"
      "02:77:00:00:00:01;;no group\n"
      "02:77:00:00:00:02;3c;unknown\n"
      "02:77:00:00:00:03;x,3c;unknown\n"
      "02:77:00:00:00:04;aus;left out\n"
      "02:77:00:00:00:05;3a,3b;both\n"
      "02:77:00:00:00:0;3b;short\n"
      "27700000006;3b;number\n"
      "ff:ff:ff:ff:ff:ff;3b;all\n"
      "02:77:00:00:00:08;3b;a;b\n"
      "02:77:00:00:00:09\n"
      ";;\n"
      "\n"
      "02:77:00:00:00:0a;3b;\"two\nlines\" ;;\n"
      "02:77:00:00:00:0b 027700000007;3b;two addresses\n"
      "=\"02:77:00:00:00:0c\";3b;guarded\n",
      "jamf-school", {"aus="});
  REQUIRE(imported.read);
  const auto& read = *imported.read;
  CHECK(lines(imported) == Lines{"02:77:00:00:00:0a 3b two lines", "02:77:00:00:00:0b 3b two addresses",
                                 "02:77:00:00:00:07 3b two addresses", "02:77:00:00:00:0c 3b guarded"});
  CHECK(read.without_address == 3);
  CHECK(read.without_group == 1);
  CHECK(read.left_out == 1);
  CHECK(read.unknown == std::map<std::string, std::size_t>{{"3c", 2}, {"x", 1}});
  CHECK(read.seen.size() == 9);
  CHECK_FALSE(read.whole);
  REQUIRE(imported.faults.size() == 6);
  CHECK(imported.faults[0] ==
        "x.csv:9:19: error: the device is in several of the school's groups, “3a”, “3b”: expected one; --rename \"NAME=\" leaves "
        "one out");
  CHECK(imported.faults[1].find("x.csv:10:1: error: column “WiFiMAC”: “02:77:00:00:00:0” is no MAC address") == 0);
  CHECK(imported.faults[2].find("x.csv:11:1: error: ") == 0);
  CHECK(imported.faults[2].find("a spreadsheet has made a number of it") != std::string::npos);
  CHECK(imported.faults[3] == "x.csv:12:1: error: column “WiFiMAC”: “ff:ff:ff:ff:ff:ff” is no device's address: it is a group's");
  CHECK(imported.faults[4] == "x.csv:13:1: error: 4 fields, expected 3 as in the header");
  CHECK(imported.faults[5] == "x.csv:14:1: error: 1 field, expected 3 as in the header");
}

TEST_CASE("a device that the export has in several groups is not taken, one that it has twice is taken once") {
  const auto imported = import(
      "WiFiMAC;MemberOf\n"
      "02:77:00:00:00:01;3a\n"
      "02-77-00-00-00-01;3b\n"
      "02:77:00:00:00:02;3a\n"
      "02:77:00:00:00:02;3A\n"
      "02:77:00:00:00:01;3a\n");
  CHECK(lines(imported) == Lines{"02:77:00:00:00:02 3a "});
  CHECK(imported.faults ==
        Lines{"x.csv:3:1: error: 02:77:00:00:00:01 stands there twice, for “3b” and, at x.csv:2, for “3a”: none is taken",
              "x.csv:5:1: warning: 02:77:00:00:00:02 stands there twice, first at x.csv:4, which is taken",
              "x.csv:6:1: warning: 02:77:00:00:00:01 stands there twice, first at x.csv:2, which is taken"});
  CHECK(imported.read->seen.size() == 2);
  CHECK(imported.read->whole);
}

TEST_CASE("an export and its devices are bounded") {
  CHECK_FALSE(import(std::string(largest_export + 1, '\n')).read);
  const auto devices = [](std::size_t count) {
    std::string text = "WiFiMAC;MemberOf\n";
    for (std::size_t i = 1; i <= count; ++i) text += fmt::format("0277{:08x};3b\n", i);
    return text;
  };
  const auto most = import(devices(most_roster_devices));
  CHECK(most.faults.empty());
  CHECK(most.read->devices.size() == most_roster_devices);
  const auto more = import(devices(most_roster_devices + 2));
  CHECK(more.faults == Lines{"x.csv:100002:1: error: more than 100000 devices: what follows is not read"});
  CHECK_FALSE(more.read->whole);
  const auto name = import("WiFiMAC;MemberOf;Name\n027700000001;3b;" + std::string(longest_device_name - 1, 'x') + "äy\n");
  CHECK(name.read->devices.front().name == std::string(longest_device_name - 1, 'x'));
  CHECK(import("WiFiMAC;MemberOf\n\"027700000001,027700000002,027700000003,027700000004,027700000005,027700000006,027700000007,"
               "027700000008,027700000009\";3b\n")
            .faults == Lines{"x.csv:2:1: error: column “WiFiMAC”: more than 8 addresses of one device"});
}

TEST_CASE("the difference names what is added, moved, renamed and missing") {
  const auto entry = [](const std::string& mac, const std::string& group, const std::string& name) {
    return RosterEntry{base::parse_mac(mac).value(), {group, {}}, name};
  };
  const std::vector<RosterEntry> roster{entry("02:77:00:00:00:05", "3a", "e"), entry("02:77:00:00:00:01", "3a", "a"),
                                        entry("02:77:00:00:00:02", "3a", "b"), entry("02:77:00:00:00:03", "3a", "c"),
                                        entry("02:77:00:00:00:06", "3a", "f")};
  const auto imported = import(
      "WiFiMAC;MemberOf;Name\n"
      "02:77:00:00:00:01;3a;a\n"
      "02:77:00:00:00:02;3b;\n"
      "02:77:00:00:00:03;3b;C\n"
      "02:77:00:00:00:04;3b;d\n"
      "02:77:00:00:00:05;unknown;e\n");
  auto difference = compare(*imported.read, roster, {true, false});
  CHECK(difference.unchanged == 1);
  REQUIRE(difference.added.size() == 1);
  CHECK(difference.added[0].name == "d");
  REQUIRE(difference.moved.size() == 2);
  CHECK((difference.moved[0].from == "3a" && difference.moved[0].device.group == "3b" && difference.moved[0].device.name == "b"));
  REQUIRE(difference.renamed.size() == 1);
  CHECK((difference.renamed[0].from == "c" && difference.renamed[0].device.name == "C" && difference.renamed[0].moved));
  // A device that the export has without a group of the school's is not missing.
  REQUIRE(difference.missing.size() == 1);
  CHECK(difference.missing[0].name == "f");
  CHECK(difference.edits().set.size() == 3);
  CHECK(difference.edits().remove.empty());
  difference = compare(*imported.read, roster, {true, true});
  CHECK(difference.edits().remove.size() == 1);
  CHECK(difference.changes());

  // Where the roster has no names, none changes.
  difference = compare(*imported.read, {entry("02:77:00:00:00:01", "3a", "")}, {false, false});
  CHECK(difference.renamed.empty());
  CHECK(difference.unchanged == 1);
  difference = compare(Export{}, roster, {true, false});
  CHECK(difference.missing.size() == roster.size());
  CHECK_FALSE(difference.changes());
}
