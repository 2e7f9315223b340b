// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile.hpp"
#include "daemon/policy/explain.hpp"
#include "tests/catch.hpp"

using namespace schultor::policy;
using schultor::config::Files;
using schultor::config::Need;

namespace {

using Lines = std::vector<std::string>;

Files files() {
  return {
      "school = \"a\"\ntimezone = \"Europe/Berlin\"\n[lan]\ninterfaces = [\"lan0\"]\n"
      "addresses = [\"10.77.0.1/16\", \"fd77::1/64\"]\n[wan]\ninterface = \"wan0\"\n[resolver]\naddress = \"127.0.0.1:5335\"\n"
      "[cache]\ndirectory = \"/var/cache/schultor\"\nsize = \"200 GiB\"\n",
      "[cloud]\ndomains = [\"mnspro.cloud\", \"microsoft.com\", \"*.microsoftonline.com\", \"microsoftonline.com\"]\n"
      "[[profile]]\nname = \"school\"\naccess = \"listed\"\n",
      "[[group]]\nname = \"3b\"\nprofile = \"school\"\nunknown = true\n", "mac,group\n"};
}

std::string origin(const std::string& names, const std::string& more = "") {
  return "[[origin]]\nnames = [" + names + "]\nhttps = true\n" + more;
}

/// Of an origin of the school's.
Lines said(const std::string& school, const std::string& city = "") {
  auto changed = files();
  changed.city->append(city);
  changed.school->append(school);
  Lines lines;
  for (const auto& one : load(changed, Need::everything()).diagnostics) lines.push_back(to_string(one));
  return lines;
}

bool refused(const Lines& lines, std::string_view start, std::string_view part) {
  return lines.size() == 1 && lines[0].starts_with(start) && lines[0].find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("origins of city and school become the cache's rules, in the order of their names") {
  auto changed = files();
  changed.city->append(origin("\"Inhalte.mnspro.cloud.\", \"cdn.mnspro.cloud\"",
                              "[[origin.path]]\npath = \"/b/\"\nfresh = \"1h\"\n[[origin.path]]\npath = \"/a/\"\ncache = false\n"));
  changed.school->append(origin("\"a.mnspro.cloud\"", "name = \"filme\"\nhttp = true\nscope = \"all\"\n"));
  const auto loaded = load(changed, Need::everything());
  REQUIRE(loaded.policy);
  REQUIRE(loaded.policy->cache);
  const auto& cache = *loaded.policy->cache;
  REQUIRE(cache.origins.size() == 2);
  CHECK(cache.origins[0].name == "filme");
  CHECK(cache.origins[0].scope == Scope::all);
  CHECK(cache.origins[0].http);
  CHECK(cache.origins[1].name == "inhalte-mnspro-cloud");
  CHECK(cache.origins[1].hosts == std::vector<std::string>{"inhalte.mnspro.cloud", "cdn.mnspro.cloud"});
  CHECK_FALSE(cache.origins[1].http);
  REQUIRE(cache.origins[1].paths.size() == 2);
  CHECK(cache.origins[1].paths[0].prefix == "/a/");
  CHECK(cache.lan.size() == 2);
  CHECK(cache.size == 200ULL << 30U);
  CHECK(cache.resolver);
  CHECK(cache.inside == loaded.policy->network.inside);
  const std::vector<SteeredHost> expected{{"a.mnspro.cloud", 0, Scope::all, {"school.toml", 5}},
                                          {"cdn.mnspro.cloud", 1, Scope::school, {"city.toml", 6}},
                                          {"inhalte.mnspro.cloud", 1, Scope::school, {"city.toml", 6}}};
  CHECK(loaded.policy->gate.steered == expected);
  // What the policy makes is what the cache's process reads.
  const auto back = cache_rules_from_json(to_json(cache));
  REQUIRE(back);
  CHECK(to_json(*back) == to_json(cache));
}

TEST_CASE("without a cache nothing is steered") {
  auto changed = files();
  changed.gateway->erase(changed.gateway->find("[cache]"));
  changed.school->append(origin("\"a.mnspro.cloud\""));
  const auto loaded = load(changed, Need::everything());
  REQUIRE(loaded.policy);
  CHECK_FALSE(loaded.policy->cache);
  CHECK(loaded.policy->gate.steered.empty());
}

TEST_CASE("an origin's names are exact, of the cloud, and no one's but its own") {
  CHECK(said(origin("\"a.mnspro.cloud\"")) == Lines{});
  CHECK(refused(said(origin("\"lernen.test\"")), "school.toml:6:10: error: ", "“lernen.test” is not within [cloud] of city.toml"));
  CHECK(refused(said("", origin("\"lernen.test\"")), "city.toml:7:10: error: ", "is not within [cloud]"));
  CHECK(refused(said(origin("\"*.mnspro.cloud\"")), "school.toml:6:10: error: ", "is a pattern"));
  CHECK(refused(said(origin("\"a..b\"")), "school.toml:6:10: error: ", "a..b"));
  CHECK(refused(said(origin("\"a.mnspro.cloud\", \"A.mnspro.cloud\"")),
                "school.toml:6:28: error: ", "is a name of an origin already"));
  CHECK(refused(said(origin("\"a.mnspro.cloud\"", "name = \"x\"\n"), origin("\"a.mnspro.cloud\"")),
                "school.toml:6:10: error: ", "first at city.toml:7"));
}

TEST_CASE("origins have names that differ, and can be written anywhere") {
  CHECK(refused(said(origin("\"a.mnspro.cloud\"", "name = \"x\"\n") + origin("\"b.mnspro.cloud\"", "name = \"x\"\n")),
                "school.toml:12:8: error: ", "origin “x” exists already, first at school.toml:8"));
  for (const auto* odd : {"", "Filme", "a.b", "-a", "ä"}) {
    INFO(odd);
    CHECK(refused(said(origin("\"a.mnspro.cloud\"", std::string("name = \"") + odd + "\"\n")),
                  "school.toml:8:8: error: ", "is no name for an origin"));
  }
  CHECK(refused(said(origin("\"a.mnspro.cloud\"", "[[origin.path]]\npath = \"api\"\n")), "school.toml:9:8: error: ", "is no path"));
  CHECK(refused(said(origin("\"a.mnspro.cloud\"", "[[origin.path]]\npath = \"/a\"\n[[origin.path]]\npath = \"/a\"\n")),
                "school.toml:11:8: error: ", "is there already"));
}

TEST_CASE("where people sign in nothing is kept, nor below it, nor above it") {
  for (const auto* name : {"login.microsoftonline.com", "x.login.microsoftonline.com", "microsoftonline.com", "login.microsoft.com",
                           "microsoft.com", "graph.microsoft.com"}) {
    INFO(name);
    CHECK(refused(said(origin(std::string("\"") + name + "\"")), "school.toml:6:10: error: ", "is never kept: people sign in at"));
  }
  CHECK(said(origin("\"download.microsoft.com\"")) == Lines{});
}

TEST_CASE("there are no more origins than the well mask has bits") {
  std::string many;
  for (int i = 0; i < 64; ++i) many += origin("\"o" + std::to_string(i) + ".mnspro.cloud\"");
  CHECK(said(many) == Lines{});
  CHECK(refused(said(many + origin("\"o64.mnspro.cloud\"")), "school.toml:197", "more than 64 origins"));
}

TEST_CASE("explain tells which group's tablets have a name from the cache, by which origin") {
  auto changed = files();
  changed.school->append(
      "[[group]]\nname = \"4a\"\nprofile = \"school\"\n[[group]]\nname = \"byod\"\nprofile = \"school\"\n"
      "ownership = \"byod\"\n" +
      origin("\"a.mnspro.cloud\"", "name = \"filme\"\n") + origin("\"b.mnspro.cloud\"", "name = \"offen\"\nscope = \"all\"\n"));
  const auto loaded = load(changed, Need::everything());
  REQUIRE(loaded.policy);
  const auto& policy = *loaded.policy;
  const auto explained = [&](const char* group, const char* name) {
    const auto result = explain(policy, *policy.find_group(group), *parse_local(policy, "2026-11-23 09:00"), name);
    REQUIRE(result);
    return *result;
  };
  const auto kept = explained("4a", "A.mnspro.cloud.");
  CHECK(kept.verdict == Verdict::allow);
  CHECK(kept.kept == "filme");
  CHECK(kept.because == "origin");
  CHECK(kept.rule_text == "origin filme, for school-owned groups");
  CHECK(kept.rule == Source{"school.toml", 12});
  for (const auto* group : {"byod", "3b"}) {
    INFO(group);
    // The unknown group's ownership is school's when nobody says anything; nobody knows whose its devices are.
    CHECK(explained(group, "a.mnspro.cloud").kept.empty());
    CHECK(explained(group, "a.mnspro.cloud").because == "cloud");
    CHECK(explained(group, "b.mnspro.cloud").kept == "offen");
  }
  CHECK(explained("4a", "c.mnspro.cloud").because == "cloud");
}
