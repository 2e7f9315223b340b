// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile.hpp"
#include "tests/catch.hpp"

#include <string>
#include <vector>

using namespace schultor::policy;
using schultor::config::Files;
using schultor::config::Need;

/// The city's word is the floor: each way in which a school could go below it is an error that says who may.
namespace {

using Lines = std::vector<std::string>;

/// What is said of a school that is written like this, before and behind its one group.
Lines said(const std::string& behind, const std::string& before = "", const std::string& city = "") {
  const Files files{
      "timezone = \"Europe/Berlin\"\n",
      "[cloud]\ndomains = [\"mnspro.cloud\"]\n[never]\ndomains = [\"casino.test\"]\n"
      "[[profile]]\nname = \"school\"\naccess = \"listed\"\n[[profile]]\nname = \"leisure\"\naccess = \"open\"\nblock = "
      "[\"games.test\"]\n"
      "[[schedule]]\nname = \"weekdays\"\nwindows = [\"Mon..Fri 08:00-17:00\"]\nduring = \"school\"\notherwise = \"leisure\"\n" +
          city,
      before + "[[group]]\nname = \"3b\"\nschedule = \"weekdays\"\nunknown = true\n" + behind, std::nullopt};
  const auto loaded = load(files, Need::rules(false));
  Lines lines;
  for (const auto& one : loaded.diagnostics) lines.push_back(to_string(one));
  CHECK(loaded.policy.has_value() == lines.empty());
  return lines;
}

constexpr std::string_view citys = " does not belong here, expected it in city.toml: it is the city's to say";

}  // namespace

TEST_CASE("a school cannot write the cloud, never or the revision") {
  CHECK(said("") == Lines{});
  CHECK(said("[cloud]\ndomains = []\n") == Lines{"school.toml:5:2: error: cloud" + std::string(citys)});
  CHECK(said("[never]\ndomains = []\nbypass = false\n") == Lines{"school.toml:5:2: error: never" + std::string(citys)});
  CHECK(said("", "revision = 9\n") == Lines{"school.toml:1:1: error: revision" + std::string(citys)});
  CHECK(said("", "never = false\ncloud.domains = []\n").size() == 2);
}

TEST_CASE("a school cannot write a profile of the city's anew, nor one that every city has") {
  CHECK(said("[[profile]]\nname = \"school\"\naccess = \"open\"\n") ==
        Lines{"school.toml:6:8: error: profile “school” is the city's (city.toml:6): write [extend.school] to add to it, or choose "
              "another name"});
  CHECK(
      said("[[profile]]\nname = \"exam\"\naccess = \"open\"\n") ==
      Lines{"school.toml:6:8: error: profile “exam” is the city's (built-in): write [extend.exam] to add to it, or choose another "
            "name"});
  const auto changed = said("[extend.school]\naccess = \"open\"\n");
  REQUIRE(changed.size() == 1);
  CHECK(
      changed[0].starts_with("school.toml:6:1: error: [extend.school]: access is no key that is known here; expected one of allow, "
                             "block"));
}

TEST_CASE("a school cannot write a schedule of the city's anew") {
  CHECK(said("[[schedule]]\nname = \"weekdays\"\nduring = \"leisure\"\notherwise = \"leisure\"\n") ==
        Lines{"school.toml:6:8: error: schedule “weekdays” is the city's (city.toml:13): choose another name"});
}

TEST_CASE("a school cannot let overrides last longer than the city does, or than a day where the city does not say") {
  const std::string own = "[override]\nlongest = \"5h\"\n";
  CHECK(
      said(own, "", "[override]\nlongest = \"4h\"\n") ==
      Lines{
          "school.toml:6:11: error: an override may last longer here than the city allows (city.toml:18): expected at most that"});
  CHECK(said(own, "", "[override]\nlongest = \"5h\"\n") == Lines{});
  CHECK(said(own) == Lines{});
  CHECK(
      said("[override]\nlongest = \"24h1m\"\n") ==
      Lines{
          "school.toml:6:11: error: an override may last longer here than a day, which is the city's to allow ([override] longest "
          "in city.toml): expected at most 24h"});
  CHECK(said("[override]\nlongest = \"24h1m\"\n", "", "[override]\nlongest = \"48h\"\n") == Lines{});
}

TEST_CASE("a school adds to the city's profiles alone") {
  CHECK(said("[extend.scool]\nallow = [\"a.test\"]\n") ==
        Lines{"school.toml:5:9: error: [extend.scool]: there is no profile “scool”; did you mean “school”?"});
  CHECK(
      said("[[profile]]\nname = \"own\"\naccess = \"listed\"\n[extend.own]\nallow = [\"a.test\"]\n") ==
      Lines{"school.toml:8:9: error: [extend.own]: the profile is the school's own, expected its additions in it (school.toml:6)"});
}

TEST_CASE("the city names no profile that only a school has") {
  const std::string own = "[[profile]]\nname = \"own\"\naccess = \"open\"\n";
  CHECK(said(own, "", "[[schedule]]\nname = \"late\"\nduring = \"own\"\notherwise = \"school\"\n") ==
        Lines{"city.toml:19:10: error: profile “own” is a school's own (school.toml:6), expected one of the city's"});
}

TEST_CASE("a fault of a name hides nothing that is wrong beside it") {
  CHECK(said("[[profile]]\nname = \"school\"\naccess = \"listed\"\nallow = [\"a b\"]\n").size() == 2);
  CHECK(said("[[profile]]\naccess = \"listed\"\nblock = [\"a b\"]\n").size() == 2);
  CHECK(said("[[schedule]]\nname = \"weekdays\"\nduring = \"a\"\notherwise = \"b\"\nholidays = \"c\"\n").size() == 4);
  CHECK(said("[[schedule]]\nduring = \"a\"\notherwise = \"school\"\n").size() == 2);
  CHECK(said("[[group]]\nschedule = \"a\"\n").size() == 2);
  CHECK(said("[extend.a]\nallow = [\"a b\"]\nblock = [\"c d\"]\n").size() == 3);
  CHECK(said("[[day]]\ndate = \"tomorrow\"\nschedule = \"a\"\nwindows = []\n").size() == 2);
  // Two dates that are none are not the same one.
  CHECK(said("[[day]]\ndate = \"a\"\nwindows = []\n[[day]]\ndate = \"b\"\nwindows = []\n").size() == 2);
}
