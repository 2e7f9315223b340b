// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile.hpp"
#include "daemon/policy/effective.hpp"
#include "tests/catch.hpp"

#include <algorithm>
#include <set>

using namespace schultor::policy;
using schultor::config::Files;
using schultor::config::Need;

namespace {

LoadedPolicy loaded(const std::string& school) {
  auto made = load(
      Files{
          "timezone = \"Europe/Berlin\"\n",
          "[cloud]\ndomains = [\"mnspro.cloud\"]\n[never]\nbypass = true\n"
          "[[profile]]\nname = \"school\"\naccess = \"listed\"\n"
          "[[profile]]\nname = \"leisure\"\naccess = \"open\"\n"
          "[[profile]]\nname = \"staff\"\naccess = \"open\"\n"
          "[[schedule]]\nname = \"weekdays\"\nwindows = [\"Mon..Fri 08:00-17:00\"]\nduring = \"school\"\notherwise = \"leisure\"\n",
          school, std::nullopt},
      Need::rules(false));
  REQUIRE(made.policy);
  return made;
}

std::vector<EffectiveLine> lines_of(const std::vector<EffectiveLine>& lines, Section section) {
  std::vector<EffectiveLine> found;
  std::copy_if(lines.begin(), lines.end(), std::back_inserter(found),
               [&](const EffectiveLine& line) { return line.section == section; });
  return found;
}

std::set<std::string> names_of(const std::vector<EffectiveLine>& lines, Section section) {
  std::set<std::string> names;
  for (const auto& line : lines_of(lines, section)) names.insert(line.name);
  return names;
}

}  // namespace

TEST_CASE("names of one entry of an endpoint list share a line, names of a table do not") {
  auto made = loaded("[[group]]\nname = \"g\"\nprofile = \"staff\"\nunknown = true\n");
  const Source entry{"endpoints/m365.json", 4};
  const Source next{"endpoints/m365.json", 9};
  const Source table{"city.toml", 2};
  made.policy->gate.cloud =
      NamePatterns({{"a.test", table}, {"b.test", table}, {"c.test", entry}, {"*.d.test", entry}, {"e.test", next}});
  const auto cloud = lines_of(effective(*made.config, *made.policy), Section::cloud);
  REQUIRE(cloud.size() == 4);
  CHECK(cloud[0] == EffectiveLine{Section::cloud, "", "name", "a.test", {"a.test"}, table});
  CHECK(cloud[1] == EffectiveLine{Section::cloud, "", "name", "b.test", {"b.test"}, table});
  CHECK(cloud[2] == EffectiveLine{Section::cloud, "", "name", "c.test, *.d.test", {"c.test", "*.d.test"}, entry});
  CHECK(cloud[3] == EffectiveLine{Section::cloud, "", "name", "e.test", {"e.test"}, next});
  for (const auto& line : cloud) CHECK(author_of(line) == "city");
}

TEST_CASE("what nobody wrote is built in, and each built-in name is there") {
  const auto made = loaded("[[group]]\nname = \"g\"\nprofile = \"staff\"\nunknown = true\n");
  const auto lines = effective(*made.config, *made.policy);
  const auto never = lines_of(lines, Section::never);
  REQUIRE(never.size() == 3);
  CHECK(author_of(never[0]) == "built-in");
  CHECK(std::find(never[0].names.begin(), never[0].names.end(), "dns.google") != never[0].names.end());
  CHECK(std::find(never[1].names.begin(), never[1].names.end(), "9.9.9.9/32") != never[1].names.end());
  CHECK(never[2] == EffectiveLine{Section::never, "", "bypass", "true", {}, {"city.toml", 4}});
  const auto longest = lines_of(lines, Section::override);
  REQUIRE(longest.size() == 1);
  CHECK(longest[0].text == "24 h");
  CHECK(author_of(longest[0]) == "built-in");
  CHECK(names_of(lines, Section::profile) == std::set<std::string>{"school", "leisure", "staff", "exam", "paused"});
}

TEST_CASE("a group's lines are its schedule and the profiles that it can have") {
  const auto made = loaded(
      "[[group]]\nname = \"3b\"\nschedule = \"weekdays\"\n[[group]]\nname = \"staff\"\nprofile = \"staff\"\nownership = \"staff\"\n"
      "[[group]]\nname = \"gaeste\"\nunknown = true\n");
  const auto of = [&](const char* name) { return effective(*made.config, *made.policy, made.policy->find_group(name)); };
  CHECK(names_of(of("3b"), Section::profile) == std::set<std::string>{"school", "leisure"});
  CHECK(names_of(of("3b"), Section::schedule) == std::set<std::string>{"weekdays"});
  CHECK(names_of(of("3b"), Section::group) == std::set<std::string>{"3b"});
  CHECK(names_of(of("staff"), Section::profile) == std::set<std::string>{"staff"});
  CHECK(names_of(of("staff"), Section::schedule).empty());
  // Without a word of its own it follows the strictest of the school's.
  CHECK(names_of(of("gaeste"), Section::profile) == std::set<std::string>{"school", "leisure"});
  CHECK(names_of(of("gaeste"), Section::schedule) == std::set<std::string>{"weekdays"});
}

TEST_CASE("with an instant each group says what holds then") {
  const auto made = loaded(
      "[[group]]\nname = \"3b\"\nschedule = \"weekdays\"\n[[group]]\nname = \"gaeste\"\nprofile = \"staff\"\nunknown = true\n");
  const auto at = parse_local(*made.policy, "2026-11-23 10:00").value();
  std::vector<std::string> held;
  for (const auto& line : effective(*made.config, *made.policy, nullptr, at))
    if (line.what == "holds") held.push_back(line.name + ": " + line.text);
  CHECK(held == std::vector<std::string>{"3b: school at 2026-11-23T10:00:00+01:00: window Mon..Fri 08:00-17:00",
                                         "gaeste: staff at 2026-11-23T10:00:00+01:00: fixed"});
}
