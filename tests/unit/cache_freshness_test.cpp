// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/freshness.hpp"

#include "daemon/cache/cache_control.hpp"
#include "daemon/cache/http_date.hpp"

#include "tests/catch.hpp"

using namespace schultor::cache;
using namespace std::chrono_literals;
using std::chrono::seconds;

namespace {

const auto now = *read_http_date("Fri, 27 Nov 2026 08:00:00 GMT", {});
constexpr auto date = "Date: Fri, 27 Nov 2026 08:00:00 GMT";

struct Facts {
  int status = 200;
  bool credentials = false;
  bool delimited = true;
  std::optional<std::uint64_t> complete{};
  seconds took{0};
  UrlRules rules{true, 1000, 30 * 24h, std::nullopt};
};

Judgement judged(std::initializer_list<std::string_view> lines, const Facts& facts = {}) {
  HeaderFields response;
  for (const auto line : lines) REQUIRE(add_line(response, line));
  return judge({facts.credentials, facts.status, response, facts.complete, facts.delimited, now - facts.took, now}, facts.rules);
}

std::optional<seconds> fresh(std::initializer_list<std::string_view> lines, const Facts& facts = {}) {
  const auto judgement = judged(lines, facts);
  return judgement.refusal ? std::nullopt : std::optional(judgement.fresh);
}

std::optional<Refusal> refused(std::initializer_list<std::string_view> lines, const Facts& facts = {}) {
  return judged(lines, facts).refusal;
}

}  // namespace

SCENARIO("for how long a response is fresh, it says") {
  CHECK(fresh({date, "Cache-Control: max-age=3600"}) == 3600s);
  CHECK(fresh({date, "Cache-Control: s-maxage=60, max-age=3600"}) == 60s);
  CHECK(fresh({date, "Cache-Control: max-age=3600", "Expires: Thu, 26 Nov 2026 08:00:00 GMT"}) == 3600s);
  CHECK(fresh({date, "Cache-Control: max-age=3600", "Expires: 0"}) == 3600s);
  CHECK(fresh({date, "Expires: Fri, 27 Nov 2026 08:01:00 GMT"}) == 60s);
  CHECK(fresh({"Date: foo", "Expires: Fri, 27 Nov 2026 08:00:10 GMT"}) == 10s);
  CHECK(fresh({"Cache-Control: max-age=5"}) == 5s);

  THEN("what is unclear, or past, is to be validated each time") {
    CHECK(fresh({date, "ETag: \"a\"", "Cache-Control: max-age=0", "Expires: Fri, 27 Nov 2026 09:00:00 GMT"}) == 0s);
    CHECK(fresh({date, "ETag: \"a\"", "Cache-Control: max-age=x"}) == 0s);
    CHECK(fresh({date, "ETag: \"a\"", "Expires: 0"}) == 0s);
    CHECK(fresh({date, "ETag: \"a\"", "Expires: Fri, 27 Nov 2026 09:00:00 GMT", "Expires: Fri, 27 Nov 2026 09:00:00 GMT"}) == 0s);
    CHECK(fresh({date, "ETag: \"a\"", "Expires: Thu, 26 Nov 2026 08:00:00 GMT"}) == 0s);
    CHECK(fresh({date, "ETag: \"a\"", "Cache-Control: max-age=3600, no-cache"}) == 0s);
    CHECK(fresh({date, "Last-Modified: Thu, 26 Nov 2026 08:00:00 GMT"}) == 0s);
    CHECK(fresh({"Date: Fri, 27 Nov 2026 08:01:40 GMT", "ETag: \"a\"", "Expires: Fri, 27 Nov 2026 08:01:00 GMT"}) == 0s);
  }
  THEN("what could not even be validated is not stored") {
    CHECK(refused({date}) == Refusal::pointless);
    CHECK(refused({date, "Cache-Control: max-age=0"}) == Refusal::pointless);
    CHECK(refused({date, "Cache-Control: public"}) == Refusal::pointless);
  }
}

SCENARIO("a response may be old when it comes") {
  CHECK(fresh({date, "Cache-Control: max-age=3600", "Age: 600"}) == 3000s);
  CHECK(fresh({date, "Cache-Control: max-age=3600", "Age: 600, 0"}) == 3000s);
  CHECK(fresh({date, "Cache-Control: max-age=3600", "Age: 0", "Age: 600"}) == 3600s);
  CHECK(fresh({"Date: Fri, 27 Nov 2026 07:50:00 GMT", "Cache-Control: max-age=3600"}) == 3000s);
  CHECK(fresh({"Date: Fri, 27 Nov 2026 07:59:50 GMT", "Expires: Fri, 27 Nov 2026 08:00:10 GMT", "Age: 25", "ETag: \"a\""}) == 0s);
  CHECK(fresh({date, "Cache-Control: max-age=3600", "Age: 2147483648", "ETag: \"a\""}) == 0s);
  CHECK(fresh({date, "Cache-Control: max-age=3600"}, {.took = 100s}) == 3500s);
  for (const auto* age : {"Age: abc", "Age: -7200", "Age: 7200.0", "Age: 7200;foo=1"})
    CHECK(fresh({date, "Cache-Control: max-age=3600", age}) == 3600s);
  // A clock that is ahead makes nothing older than new.
  CHECK(judged({"Date: Fri, 27 Nov 2026 09:00:00 GMT", "Cache-Control: max-age=3600"}).age == 0s);
  CHECK(judged({"Date: Mon, 01 Jan 0001 00:00:00 GMT", "Cache-Control: max-age=3600"}).age == longest_delta);
}

SCENARIO("rules bound what an origin says, and speak where it says nothing") {
  CHECK(fresh({date, "Cache-Control: max-age=3600"}, {.rules = {true, 1000, 60s, std::nullopt}}) == 60s);
  CHECK(refused({date, "Cache-Control: max-age=3600"}, {.rules = {false, 1000, 60s, std::nullopt}}) == Refusal::rules);
  CHECK(refused({date, "Cache-Control: max-age=3600"}, {.complete = 1001}) == Refusal::rules);
  CHECK(fresh({date, "Cache-Control: max-age=3600"}, {.complete = 1000}) == 3600s);

  const Facts with_fresh{.rules = {true, 1000, 3600s, 600s}};
  CHECK(fresh({date}, with_fresh) == 600s);
  CHECK(fresh({date, "Cache-Control: max-age=5"}, with_fresh) == 5s);
  CHECK(fresh({date, "ETag: \"a\"", "Cache-Control: no-cache"}, with_fresh) == 0s);
  CHECK(refused({date}, {.status = 302, .rules = {true, 1000, 3600s, 600s}}) == Refusal::status);
  CHECK(fresh({date, "Cache-Control: public"}, {.status = 302, .rules = {true, 1000, 3600s, 600s}}) == 600s);
  CHECK(fresh({date}, {.status = 404, .rules = {true, 1000, 3600s, 600s}}) == 600s);
}

SCENARIO("what is never stored") {
  CHECK(refused({date, "Cache-Control: max-age=60, no-store"}) == Refusal::directive);
  CHECK(refused({date, "Cache-Control: max-age=60", "Cache-Control: private"}) == Refusal::directive);
  CHECK(refused({date, "Cache-Control: max-age=60, private=\"a\""}) == Refusal::directive);
  CHECK(refused({date, "Cache-Control: max-age=60, public", "Set-Cookie: a=b"}) == Refusal::cookie);
  CHECK(refused({date, "Cache-Control: max-age=60", "Vary: a", "Vary: *"}) == Refusal::varies);
  CHECK(refused({date, "Cache-Control: max-age=60", "Vary: *, a"}) == Refusal::varies);
  CHECK_FALSE(refused({date, "Cache-Control: max-age=60", "Vary: Accept-Encoding"}));
  CHECK(refused({date, "Cache-Control: max-age=60"}, {.delimited = false}) == Refusal::endless);
  CHECK(refused({date, "Cache-Control: max-age=60"}, {.status = 598}) == Refusal::status);
  CHECK(refused({date, "Cache-Control: max-age=60"}, {.status = 999}) == Refusal::status);

  THEN("nor is an answer to somebody's credentials, unless it is for everybody") {
    for (const auto* control :
         {"Cache-Control: max-age=60", "Cache-Control: s-maxage=60", "Cache-Control: max-age=60, must-revalidate"})
      CHECK(refused({date, control}, {.credentials = true}) == Refusal::credentials);
    CHECK_FALSE(refused({date, "Cache-Control: max-age=60, public"}, {.credentials = true}));
    CHECK(refused({date, "Cache-Control: max-age=60, public, no-store"}, {.credentials = true}) == Refusal::directive);
  }
}

SCENARIO("other statuses than success are stored only while they are fresh") {
  CHECK(fresh({date, "Cache-Control: max-age=60"}, {.status = 404}) == 60s);
  CHECK(fresh({date, "Cache-Control: max-age=60"}, {.status = 301}) == 60s);
  CHECK(refused({date, "ETag: \"a\""}, {.status = 404}) == Refusal::status);
  CHECK(refused({date, "ETag: \"a\"", "Cache-Control: max-age=0"}, {.status = 503}) == Refusal::status);
  THEN("a validation that says nothing new leaves what is stored as it is") {
    CHECK(fresh({date, "Cache-Control: max-age=60"}, {.status = 304}) == 60s);
    CHECK(fresh({date}, {.status = 304}) == 0s);
    CHECK(refused({date, "Cache-Control: no-store"}, {.status = 304}) == Refusal::directive);
  }
}

SCENARIO("what is stale may be handed out while the origin is away, unless it says otherwise") {
  CHECK(judged({date, "Cache-Control: max-age=60"}).stale_if_error == usual_stale_if_error);
  CHECK(judged({date, "Cache-Control: max-age=60, stale-if-error=5"}).stale_if_error == 5s);
  CHECK(judged({date, "Cache-Control: max-age=60, stale-if-error=99999999"}).stale_if_error == usual_stale_if_error);
  CHECK(judged({date, "Cache-Control: max-age=60, stale-while-revalidate=7"}).stale_while_revalidate == 7s);
  for (const auto* control :
       {"Cache-Control: max-age=60, stale-if-error=9, must-revalidate", "Cache-Control: s-maxage=60, stale-while-revalidate=7",
        "Cache-Control: max-age=60, proxy-revalidate", "Cache-Control: no-cache, stale-while-revalidate=7"}) {
    const auto judgement = judged({date, "ETag: \"a\"", control});
    CHECK(judgement.stale_if_error == 0s);
    CHECK(judgement.stale_while_revalidate == 0s);
  }
}

TEST_CASE("of the rules for paths the longest that fits decides") {
  schultor::policy::Origin origin;
  origin.http = true;
  origin.largest = 7;
  origin.longest = 9s;
  origin.paths = {{"/", true, 1s}, {"/a/", false, std::nullopt}, {"/a/b", true, std::nullopt}};
  CHECK(rules_of(origin, false, "/x?/a/").fresh == 1s);
  CHECK_FALSE(rules_of(origin, false, "/a/").kept);
  CHECK(rules_of(origin, false, "/a").kept);
  CHECK(rules_of(origin, false, "/a/bc").kept);
  CHECK_FALSE(rules_of(origin, false, "/a/bc").fresh);
  CHECK_FALSE(rules_of(origin, true, "/x").kept);
  CHECK(rules_of(origin, false, "/x").largest == 7);
  CHECK(rules_of(origin, false, "/x").longest == 9s);
}
