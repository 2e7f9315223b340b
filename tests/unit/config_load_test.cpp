// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/load.hpp"
#include "tests/catch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

using namespace schultor::config;

namespace {

constexpr const char* gateway = R"(school = "ggs-am-park"
timezone = "Europe/Berlin"
[lan]
interfaces = ["lan0", "lan1"]
addresses = ["10.77.0.1/16", "fd77::1/64"]
[wan]
interface = "wan0"
[resolver]
address = "127.0.0.1:5335"
[cache]
directory = "/var/cache/schultor"
size = "200 GiB"
[operations]
broker = "mqtts://ops.example"
ca = "/etc/ca.pem"
certificate = "/etc/school.pem"
key = "school.key"
)";
constexpr const char* city = R"(revision = 7
[cloud]
domains = ["mnspro.cloud"]
endpoints = []
[never]
bypass = true
[[profile]]
name = "school"
access = "listed"
allow = ["anton.app"]
safe_search = false
[[schedule]]
name = "weekdays"
windows = ["Mon..Fri 08:00-17:00"]
during = "school"
otherwise = "school"
)";
constexpr const char* school = R"([[group]]
name = "3b"
schedule = "weekdays"
[[group]]
name = "gäste"
profile = "school"
unknown = true
ownership = "byod"
[extend.school]
allow = ["schlaukopf.de"]
)";
constexpr const char* roster = "mac,group\n";

Files files() { return {gateway, city, school, roster}; }

/// What is said about files of which one differs from the example.
std::vector<std::string> faults(std::optional<std::string> Files::*which, const std::string& from, const std::string& to,
                                Need need = Need::everything()) {
  auto changed = files();
  auto& text = *(changed.*which);
  const auto at = from.empty() ? text.size() : text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  const auto loaded = parse(changed, need);
  std::vector<std::string> lines;
  for (const auto& diagnostic : loaded.diagnostics) lines.push_back(to_string(diagnostic));
  CHECK(loaded.config.has_value() != has_errors(loaded.diagnostics));
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("the contract's example is read, each value with its place") {
  const auto loaded = parse(files(), Need::everything());
  REQUIRE(loaded.config);
  CHECK(loaded.diagnostics.empty());
  const auto& config = *loaded.config;
  CHECK(config.gateway.school.value == "ggs-am-park");
  CHECK(config.gateway.lan_interfaces.size() == 2);
  CHECK(to_string(config.gateway.lan_addresses.at(1).value) == "fd77::1/64");
  CHECK(config.gateway.cache->size == 200ULL << 30U);
  CHECK(config.gateway.operations->host == "ops.example");
  CHECK(config.gateway.operations->port == 8883);
  CHECK(config.city.revision.value == 7);
  CHECK(config.city.bypass.value);
  CHECK(config.city.profiles.at(0).allow.at(0).source == Source{"city.toml", 10, 10});
  CHECK(config.city.schedules.at(0).windows.at(0).source == Source{"city.toml", 14, 12});
  CHECK(config.school.groups.at(1).ownership == Ownership::byod);
  CHECK(config.school.extensions.at(0).profile.value == "school");
}

TEST_CASE("an unknown key is an error that names the nearest known one") {
  CHECK(faults(&Files::gateway, "interfaces =", "interface =") ==
        Lines{"gateway.toml:3:2: error: [lan]: interfaces is missing, expected the interfaces that tablets are behind, such as "
              "[\"lan0\"]",
              "gateway.toml:4:1: error: [lan]: interface is no key that is known here; did you mean “interfaces”?"});
  CHECK(faults(&Files::city, "windows", "windws") ==
        Lines{"city.toml:14:1: error: schedule “weekdays”: windws is no key that is known here; did you mean “windows”?"});
  CHECK(faults(&Files::school, "unknown", "unkown") ==
        Lines{"school.toml:7:1: error: group “gäste”: unkown is no key that is known here; did you mean “unknown”?"});
}

TEST_CASE("a value of the wrong kind says which was expected") {
  CHECK(faults(&Files::city, "revision = 7", "revision = \"7\"") ==
        Lines{"city.toml:1:12: error: revision is a text, expected a number from 0 up"});
  CHECK(faults(&Files::city, "bypass = true", "bypass = 1") ==
        Lines{"city.toml:6:10: error: [never]: bypass is a number, expected true or false"});
  CHECK(faults(&Files::city, "[\"anton.app\"]", "[\"anton.app\", 2026-01-01]") ==
        Lines{"city.toml:10:23: error: profile “school”: an entry of allow is a date or time, expected a text in quotes"});
  CHECK(faults(&Files::gateway, "school = \"ggs-am-park\"", "school = \"GGS am Park\"").size() == 1);
  CHECK(faults(&Files::gateway, "\"200 GiB\"", "\"200\"").size() == 1);
  CHECK(faults(&Files::gateway, "mqtts://ops", "mqtt://ops").size() == 1);
  CHECK(faults(&Files::gateway, "10.77.0.1/16", "10.77.0.1").size() == 1);
  CHECK(faults(&Files::gateway, "wan0", "lan1").size() == 1);
  CHECK(faults(&Files::gateway, "\"lan1\"", "\"lan0\"").size() == 1);
}

TEST_CASE("all faults are shown, in the order of files and lines") {
  auto changed = files();
  changed.city->replace(changed.city->find("listed"), 6, "closed");
  changed.city->append("colour = 1\n");
  changed.school->append("[[group]]\n");
  changed.roster->append("02:77,3b\n");
  Lines places;
  for (const auto& one : parse(changed, Need::everything()).diagnostics)
    places.push_back(one.file + ":" + std::to_string(one.line));
  CHECK(places == Lines{"city.toml:9", "city.toml:17", "school.toml:11", "school.toml:11", "roster.csv:2"});
}

TEST_CASE("a fault of TOML itself has its place") {
  const auto lines = faults(&Files::city, "revision = 7", "revision = ");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].substr(0, 12) == "city.toml:1:");
  CHECK(faults(&Files::city, "revision = 7", "revision = 7\nrevision = 8").size() == 1);
  CHECK(faults(&Files::city, "", "name = \"\xff\"").size() == 1);
}

TEST_CASE("categories are read with their places, and close names but never open any") {
  auto changed = files();
  changed.city->replace(changed.city->find("bypass = true"), 13, "categories = [\"malware\"]");
  *changed.school += "block_categories = [\"games\", \"adult\"]\n";
  const auto config = parse(changed, Need::everything()).config;
  REQUIRE(config);
  REQUIRE(config->city.never_categories.size() == 1);
  CHECK(config->city.never_categories[0].value == "malware");
  REQUIRE(config->school.extensions.size() == 1);
  REQUIRE(config->school.extensions[0].block_categories.size() == 2);
  CHECK(config->school.extensions[0].block_categories[1].value == "adult");
  CHECK(config->school.extensions[0].block_categories[1].source.line == 11);
  const auto lines = faults(&Files::school, "", "allow_categories = [\"adult\"]\n");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("error: [extend.school]: allow_categories opens nothing") != std::string::npos);
  CHECK(lines[0].find("write the names into allow") != std::string::npos);
  CHECK(faults(&Files::school, "", "block_categories = []\nallow_categories = []\n").empty());
}

TEST_CASE("an origin is read, with what is usual where nothing is said of it") {
  auto changed = files();
  changed.city->append("[[origin]]\nnames = [\"inhalte.mnspro.cloud\"]\nhttps = true\n");
  changed.school->append(
      "[[origin]]\nname = \"filme\"\nnames = [\"a.mnspro.cloud\", \"b.mnspro.cloud\"]\nhttp = true\nscope = "
      "\"all\"\nlargest = \"500 MiB\"\nlongest = \"1d12h\"\n"
      "[[origin.path]]\npath = \"/api/\"\ncache = false\n[[origin.path]]\npath = \"/f/\"\nfresh = \"10m\"\n");
  const auto loaded = parse(changed, Need::everything());
  REQUIRE(loaded.config);
  REQUIRE(loaded.config->city.origins.size() == 1);
  const auto& usual = loaded.config->city.origins[0];
  CHECK_FALSE(usual.name);
  CHECK((!usual.http && usual.https && !usual.for_all));
  CHECK(usual.largest == 4ULL << 30U);
  CHECK(usual.longest == std::chrono::hours(720));
  REQUIRE(loaded.config->school.origins.size() == 1);
  const auto& films = loaded.config->school.origins[0];
  CHECK(films.name->value == "filme");
  CHECK(films.names.size() == 2);
  CHECK((films.http && !films.https && films.for_all));
  CHECK(films.largest == 500ULL << 20U);
  CHECK(films.longest == std::chrono::hours(36));
  REQUIRE(films.paths.size() == 2);
  CHECK((films.paths[0].path.value == "/api/" && !films.paths[0].cache && !films.paths[0].fresh));
  CHECK((films.paths[1].cache && films.paths[1].fresh == std::chrono::minutes(10)));
}

TEST_CASE("what an origin lacks, and what is no size, span or scope, is refused") {
  const std::string place = "city.toml:17:1: error: ";
  CHECK(faults(&Files::city, "", "[[origin]]\nname = \"a\"\n") ==
        Lines{place + "origin “a”: names is missing, expected the site's names, each of them, such as [\"inhalte.example\"]",
              place + "origin “a”: https is missing, expected https = true, http = true, or both"});
  const auto with = [](const std::string& keys) {
    return faults(&Files::city, "", "[[origin]]\nnames = [\"a.test\"]\nhttp = true\n" + keys);
  };
  CHECK(with("").empty());
  for (const auto* odd :
       {"scope = \"byod\"", "largest = \"4\"", "largest = 4", "longest = \"30\"", "longest = \"367d\"", "longest = \"0d\"",
        "longest = \"1h1d\"", "longest = \"99999999999999999999d\"", "colour = 1", "[[origin.path]]\ncache = true",
        "[[origin.path]]\npath = \"/\"\ncache = false\nfresh = \"1h\"", "[[origin.path]]\npath = \"/\"\nfresh = \"soon\""}) {
    INFO(odd);
    CHECK(with(std::string(odd) + "\n").size() == 1);
  }
}

TEST_CASE("the cache's directory is a plain path, and keeps 5 GiB free where nobody says how much") {
  const auto loaded = parse(files(), Need::everything());
  REQUIRE(loaded.config);
  REQUIRE(loaded.config->gateway.cache);
  CHECK(loaded.config->gateway.cache->least_free == 5ULL << 30U);
  auto changed = files();
  changed.gateway->replace(changed.gateway->find("size = \"200 GiB\""), 16, "size = \"1 TiB\"\nfree = \"20 GiB\"");
  const auto other = parse(changed, Need::everything());
  REQUIRE(other.config);
  CHECK(other.config->gateway.cache->least_free == 20ULL << 30U);
  for (const auto* odd : {"/", "cache", "/var/../etc", "/var/cache;x", "/var/a b"}) {
    INFO(odd);
    CHECK(faults(&Files::gateway, "/var/cache/schultor", odd).size() == 1);
  }
}

TEST_CASE("safe_search and youtube are read, youtube following safe_search where nothing is said of it") {
  const auto youtube = [](const std::string& keys) {
    auto changed = files();
    changed.city->replace(changed.city->find("safe_search = false"), 19, keys);
    const auto loaded = parse(changed, Need::everything());
    REQUIRE(loaded.config);
    return loaded.config->city.profiles.at(0).safe_search.youtube();
  };
  CHECK(youtube("safe_search = false") == YouTube::off);
  CHECK(youtube("safe_search = true") == YouTube::moderate);
  CHECK(youtube("safe_search = true\nyoutube = \"off\"") == YouTube::off);
  CHECK(youtube("youtube = \"strict\"") == YouTube::strict);
  CHECK(faults(&Files::city, "safe_search = false", "youtube = \"hard\"") ==
        Lines{"city.toml:11:11: error: youtube “hard” is not known; expected one of off, moderate, strict"});
  CHECK(faults(&Files::school, "", "safe_search = true\n").empty());
}

TEST_CASE("a [[day]] has its date and its windows, and no days") {
  const auto day = [](const std::string& text) { return faults(&Files::school, "", "[[day]]\n" + text); };
  CHECK(day("date = \"2026-11-28\"\nwindows = []\n").empty());
  CHECK(day("date = \"2026-11-28\"\nschedule = \"weekdays\"\nwindows = [\"09:00-13:00\", \"22:00-06:00\"]\n").empty());
  CHECK(day("date = \"2026-11-28\"\nwindows = [\"Sat 09:00-13:00\"]\n").size() == 1);
  CHECK(day("date = \"2026-11-28\"\nwindows = [\"09:00-09:00\"]\n").size() == 1);
  CHECK(day("date = \"2026-11-28\"\n").size() == 1);
  CHECK(day("windows = []\n").size() == 1);
  for (const auto* date : {"2026-02-29", "28.11.2026", "2026-11-28 ", "", "2038-01-01", "1969-12-31"}) {
    INFO(date);
    const auto lines = day(fmt::format("date = \"{}\"\nwindows = []\n", date));
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find("is no date: expected one such as 2026-11-28, from 1970 to 2037") != std::string::npos);
  }
  CHECK(faults(&Files::city, "", "[[day]]\ndate = \"2026-11-28\"\nwindows = []\n").size() == 1);
}

TEST_CASE("how long overrides may last, and what holds by an untrusted clock, are texts of their own") {
  const auto config = [](const std::string& which, const std::string& text) {
    auto changed = files();
    (which == "gateway" ? changed.gateway : changed.city)->append(text);
    return parse(changed, Need::everything()).config;
  };
  const auto longest = config("city", "[override]\nlongest = \"1h30m\"\n");
  REQUIRE(longest);
  CHECK(longest->city.overrides.longest->value == std::chrono::minutes{90});
  const auto untrusted = config("gateway", "[clock]\nuntrusted = \"school\"\n");
  REQUIRE(untrusted);
  CHECK(untrusted->gateway.untrusted_profile->value == "school");
  for (const auto* span : {"0m", "-1h", "4", "four hours", "101h1", "2401h", "", "99999999999999999999m", "1m1h"}) {
    INFO(span);
    CHECK(faults(&Files::city, "", fmt::format("[override]\nlongest = \"{}\"\n", span)).size() == 1);
  }
}

TEST_CASE("what is the city's to say is refused in the school's file, and the other way round") {
  CHECK(faults(&Files::school, "", "[cloud]\ndomains = [\"a.test\"]\n") ==
        Lines{"school.toml:11:2: error: cloud does not belong here, expected it in city.toml: it is the city's to say"});
  CHECK(faults(&Files::city, "", "[[group]]\nname = \"a\"\n") ==
        Lines{"city.toml:17:3: error: group does not belong here, expected it in school.toml"});
}

TEST_CASE("a command asks only for what it uses") {
  auto few = files();
  few.gateway = "timezone = \"Europe/Berlin\"\n";
  few.roster.reset();
  CHECK(parse(few, Need::hours()).config);
  CHECK_FALSE(parse(few, Need::everything()).config);
  // Also of what is there in part.
  *few.gateway += "[lan]\n[wan]\n[resolver]\n[cache]\n[operations]\nbroker = \"mqtts://ops.example\"\n";
  CHECK(parse(few, Need::hours()).diagnostics.empty());
  // Two keys of [lan], one of [wan] and [resolver], two of [cache], three of [operations]; the school's name and the roster.
  CHECK(parse(few, Need::everything()).diagnostics.size() == 11);
  few.gateway = "school = \"a\"\n";
  CHECK_FALSE(parse(few, Need::hours()).config);
  few = {gateway, std::nullopt, std::nullopt, std::nullopt};
  CHECK(parse(few, Need::reporting()).config);
  few.gateway->erase(few.gateway->find("[operations]"));
  CHECK_FALSE(parse(few, Need::reporting()).config);
}

TEST_CASE("nothing fills memory or a terminal with rubbish") {
  auto changed = files();
  changed.city = std::string(largest_file + 1, '#');
  REQUIRE(parse(changed, Need::everything()).diagnostics.size() == 1);
  changed.city = city;
  for (int i = 0; i < 5000; ++i) changed.roster->append("rubbish\n");
  const auto loaded = parse(changed, Need::everything());
  CHECK(loaded.diagnostics.size() == Diagnostics::most_of_a_file + 1);
  CHECK(to_string(loaded.diagnostics.front()) == "roster.csv: error: there is more than what is shown");
  CHECK_FALSE(loaded.config);
  const auto lines = faults(&Files::school, "\"3b\"", "\"\\u001b[2J\"");
  REQUIRE(lines.size() == 1);
  CHECK(std::none_of(lines[0].begin(), lines[0].end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
  CHECK(faults(&Files::city, "", std::string(3000, '[')).size() == 1);
}

TEST_CASE("a directory that is not there is said to be missing, once") {
  const auto loaded = load("/nonexistent/schultor", Need::everything());
  CHECK_FALSE(loaded.config);
  REQUIRE(loaded.diagnostics.size() == 1);
  CHECK(to_string(loaded.diagnostics[0]).find("/nonexistent/schultor: error: ") == 0);
}

TEST_CASE("the nearest word is found, and none where none is near") {
  CHECK(nearest("shcedule", {"profile", "schedule"}) == "schedule");
  CHECK(nearest("Allow", {"allow", "block"}) == "allow");
  CHECK(nearest("zzz", {"allow", "block"}).empty());
  CHECK(nearest("xy", {"ab", "to"}).empty());
  CHECK(suggestion("zzz", {"allow", "block"}) == "; expected one of allow, block");
  CHECK(suggestion("zzz", {}).empty());
}
