// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/gate_rules.hpp"
#include "tests/catch.hpp"

using namespace schultor::policy;

namespace {
constexpr SafeSearch all{true, YouTube::strict};
}  // namespace

TEST_CASE("Google's search has its safe name in every country") {
  for (const auto* name : {"google.com", "www.google.com", "www.google.de", "google.co.uk", "www.google.com.au", "www.google.cat",
                           "ipv4.google.com", "ipv6.google.com", "ipv6.google.de", "ipv4.google.com.hk"})
    CHECK(rewritten(all, name) == "forcesafesearch.google.com");
  for (const auto* name :
       {"mail.google.com", "googlevideo.com", "google.example", "google.com.example", "www.google.co", "notgoogle.de", "google.c0",
        "forcesafesearch.google.com", "www.www.google.de", "ipv6.www.google.com", "ipv5.google.com", "google.", "google"}) {
    INFO(name);
    // .co is a country as well.
    CHECK(rewritten(all, name) == (std::string_view(name) == "www.google.co" ? "forcesafesearch.google.com" : ""));
  }
}

TEST_CASE("the other engines have theirs, and YouTube has two") {
  CHECK(rewritten(all, "www.bing.com") == "strict.bing.com");
  CHECK(rewritten(all, "duckduckgo.com") == "safe.duckduckgo.com");
  CHECK(rewritten(all, "www.ecosia.org") == "strict-safe-search.ecosia.org");
  CHECK(rewritten(all, "pixabay.com") == "safesearch.pixabay.com");
  CHECK(rewritten(all, "youtubei.googleapis.com") == "restrict.youtube.com");
  CHECK(rewritten({false, YouTube::moderate}, "www.youtube.com") == "restrictmoderate.youtube.com");
  CHECK(rewritten({true, YouTube::off}, "www.youtube.com").empty());
  CHECK(rewritten({false, YouTube::moderate}, "www.bing.com").empty());
  CHECK(rewritten({}, "google.com").empty());
  CHECK(rewritten(all, "safe.duckduckgo.com").empty());
}

TEST_CASE("an address is pinned only for profiles that rewrite the name alike, and the cloud's names stay what they are") {
  GateRules rules;
  rules.cloud = NamePatterns({parse_pattern("www.bing.com", {}).value()});
  const NamePatterns engines({parse_pattern("google.de", {}).value(), parse_pattern("bing.com", {}).value()});
  ProfileNames plain, safe;
  plain.listed = safe.listed = true;
  plain.allow = safe.allow = engines;
  safe.safe_search = all;
  rules.profiles = {plain, safe};
  CHECK(doors_of(rules, "www.google.de", {}) == first_listed_door);
  CHECK(doors_of(rules, "www.google.de", {}, "forcesafesearch.google.com") == first_listed_door << 1U);
  CHECK(doors_of(rules, "maps.google.de", {}) == (first_listed_door | first_listed_door << 1U));
  CHECK(rewrite_of(safe, judge(rules, safe, "www.google.de", {}), "www.google.de") == "forcesafesearch.google.com");
  CHECK(rewrite_of(safe, judge(rules, safe, "www.bing.com", {}), "www.bing.com").empty());
  CHECK(rewrite_of(safe, judge(rules, safe, "duckduckgo.com", {}), "duckduckgo.com").empty());
}
