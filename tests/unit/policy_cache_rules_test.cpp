// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/cache_rules.hpp"
#include "tests/catch.hpp"

using namespace schultor::policy;
using namespace std::chrono_literals;
namespace base = schultor::base;

namespace {

CacheRules example() {
  CacheRules rules;
  Origin films{"films", {"films.test"}, true, false, Scope::all, 4ULL << 30U, 720h, {}, {"school.toml", 7}};
  Origin inhalte{"inhalte", {"inhalte.test", "cdn.inhalte.test"}, true, true, Scope::school, 1ULL << 20U, 24h, {}, {}};
  inhalte.paths = {{"/", true, std::nullopt}, {"/api/", false, std::nullopt}, {"/packages/", true, 3600s}};
  rules.origins = {films, inhalte};
  rules.inside = {*base::parse_prefix("10.0.0.0/8"), *base::parse_prefix("fc00::/7")};
  rules.resolver = *base::parse_endpoint("127.0.0.1:5335");
  rules.lan = {*base::parse_address("10.77.0.1"), *base::parse_address("fd77::1")};
  rules.directory = "/var/cache/schultor";
  rules.size = 200ULL << 30U;
  rules.least_free = 5ULL << 30U;
  return rules;
}

/// The example with `what` written as `as`.
std::string spoilt(const std::string& what, const std::string& as) {
  auto text = to_json(example());
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), as);
}

std::string refusal(const std::string& json) {
  const auto rules = cache_rules_from_json(json);
  return rules ? "accepted" : rules.error().what();
}

}  // namespace

TEST_CASE("the cache's rules come back from JSON as they went, but for the places that they are written at") {
  const auto rules = example();
  const auto back = cache_rules_from_json(to_json(rules));
  REQUIRE(back);
  CHECK(to_json(*back) == to_json(rules));
  REQUIRE(back->origins.size() == 2);
  CHECK(back->origins[0].source == Source{});
  CHECK(back->origins[0].scope == Scope::all);
  CHECK(back->origins[0].largest == 4ULL << 30U);
  CHECK(back->origins[0].longest == 720h);
  CHECK(back->origins[1].hosts == rules.origins[1].hosts);
  CHECK((back->origins[1].http && back->origins[1].https));
  CHECK(back->origins[1].paths == rules.origins[1].paths);
  CHECK(back->inside == rules.inside);
  CHECK(back->resolver == rules.resolver);
  CHECK(back->lan == rules.lan);
  CHECK(back->directory == rules.directory);
  CHECK(back->size == rules.size);
  CHECK(back->least_free == rules.least_free);
}

TEST_CASE("rules without origins, and without a resolver, are rules") {
  CacheRules rules = example();
  rules.origins.clear();
  rules.resolver.reset();
  const auto back = cache_rules_from_json(to_json(rules));
  REQUIRE(back);
  CHECK(back->origins.empty());
  CHECK_FALSE(back->resolver);
}

TEST_CASE("nothing else is read as the cache's rules") {
  CHECK(refusal(to_json(example())) == "accepted");
  CHECK(refusal("") != "accepted");
  CHECK(refusal("[]") != "accepted");
  CHECK(refusal(std::string(1000, '[')) != "accepted");
  CHECK(refusal(spoilt("\"version\":1", "\"version\":2")) == "the cache's rules: expected version 1");
  CHECK(refusal(spoilt("\"size\":", "\"sizes\":")) == "the cache's rules: rules: “size” is missing");
  CHECK(refusal(spoilt("\"size\":2", "\"size\":-2")) != "accepted");
  CHECK(refusal(spoilt("/var/cache/schultor", "/var/cache/schultor;")) != "accepted");
  CHECK(refusal(spoilt("/var/cache/schultor", "/var/../etc")) != "accepted");
  CHECK(refusal(spoilt("/var/cache/schultor", "var/cache")) != "accepted");
  CHECK(refusal(spoilt("films.test", "*.test")) != "accepted");
  CHECK(refusal(spoilt("films.test", "Films.test")) != "accepted");
  CHECK(refusal(spoilt("films.test", "inhalte.test")) == "the cache's rules: hosts: inhalte.test occurs twice");
  CHECK(refusal(spoilt("\"films.test\"", "")) == "the cache's rules: hosts: expected one at least");
  CHECK(refusal(spoilt("\"name\":\"films\"", "\"name\":\"zoo\"")) ==
        "the cache's rules: origins: expected them in the order of their names, each once");
  CHECK(refusal(spoilt("\"name\":\"films\"", "\"name\":\"Films\"")) != "accepted");
  CHECK(refusal(spoilt("\"http\":true", "\"http\":false")) == "the cache's rules: origin “films”: expected http, https or both");
  CHECK(refusal(spoilt("\"scope\":\"all\"", "\"scope\":\"some\"")) == "the cache's rules: scope: expected “school” or “all”");
  CHECK(refusal(spoilt("\"prefix\":\"/api/\"", "\"prefix\":\"api/\"")) != "accepted");
  CHECK(refusal(spoilt("\"prefix\":\"/api/\"", "\"prefix\":\"/a b/\"")) != "accepted");
  CHECK(refusal(spoilt("\"prefix\":\"/api/\"", "\"prefix\":\"/\"")) ==
        "the cache's rules: paths: expected them in order, each once");
  CHECK(refusal(spoilt("\"longest\":86400", "\"longest\":86400000")) != "accepted");
  CHECK(refusal(spoilt("10.0.0.0/8", "10.0.0.1/8")) != "accepted");
  CHECK(refusal(spoilt("127.0.0.1:5335", "resolver:53")) != "accepted");
}

TEST_CASE("of origins there are no more than bits") {
  CacheRules rules = example();
  rules.origins.clear();
  for (std::size_t i = 0; i <= most_origins; ++i) {
    const auto name = fmt::format("o{:03}", i);
    rules.origins.push_back({name, {name + ".test"}, true, false, Scope::school, 1, 1s, {}, {}});
  }
  CHECK(refusal(to_json(rules)) == "the cache's rules: origins: expected a list of at most 64 entries");
  rules.origins.pop_back();
  CHECK(refusal(to_json(rules)) == "accepted");
}
