// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/decision.hpp"

#include "daemon/cache/http_date.hpp"

#include "tests/catch.hpp"

using namespace schultor::cache;
using Move = Decision::Move;

namespace {

const auto now = *read_http_date("Fri, 27 Nov 2026 08:00:00 GMT", {});
constexpr auto date = "Date: Fri, 27 Nov 2026 08:00:00 GMT";
constexpr auto fresh = "Cache-Control: max-age=60";
constexpr auto tag = "ETag: \"a\"";
constexpr auto part = "Content-Range: bytes 0-4/10";
const UrlRules rules{true, 1000, std::chrono::hours{24}, {}};

schultor::base::Result<EngineRequest> asked(std::initializer_list<std::string_view> lines, std::string method = "GET",
                                            std::string target = "/x") {
  RequestHead head{std::move(method), std::move(target), {}, true};
  for (const auto line : lines) REQUIRE(add_line(head.fields, line));
  return read_engine_request(std::move(head));
}

EngineRequest slice(std::initializer_list<std::string_view> more = {}) {
  RequestHead head{"GET", "/x", {}, true};
  for (const auto* line : {"Host: inhalte.test", "X-Schultor-Scheme: http", "X-Schultor-Store: 1", "Range: bytes=0-4"})
    REQUIRE(add_line(head.fields, line));
  for (const auto line : more) REQUIRE(add_line(head.fields, line));
  return read_engine_request(std::move(head)).value();
}

FetchedHead told(int status, std::initializer_list<std::string_view> lines, std::optional<std::uint64_t> length = 5) {
  FetchedHead head{status, {}, length, true, true};
  for (const auto line : lines) REQUIRE(add_line(head.fields, line));
  return head;
}

Decision decided(const FetchedHead& head, const EngineRequest& request = slice(), bool whole = false) {
  return decide(request, whole, head, rules, now, now);
}

std::string field(const ResponseHead& response, std::string_view name) {
  for (const auto& one : response.fields)
    if (equal_without_case(one.name, name)) return one.value;
  return {};
}

}  // namespace

SCENARIO("whoever shows a token asks for an answer of his own") {
  for (const auto* shown :
       {"Authorization: Bearer a", "Cookie: a=b", "X-Auth-Token: a", "X-Api-Key: a", "x-session-id: a", "X-CSRF-Token: a"})
    CHECK(slice({shown}).has_credentials());
  CHECK_FALSE(slice({"User-Agent: a", "Accept-Language: de", "Sec-Fetch-Mode: cors"}).has_credentials());
}

SCENARIO("what the engine asks is read, and what cannot be meant is refused") {
  const auto request = asked({"Host: inhalte.test", "X-Schultor-Scheme: https", "X-Schultor-Store: 1", "Range: bytes=0-4",
                              "X-Schultor-Cache: EXPIRED", "Cookie: a"});
  REQUIRE(request);
  CHECK(request->https);
  CHECK(request->store);
  CHECK(request->slice == ByteRange{0, 4});
  CHECK(request->has_stored);
  CHECK(request->has_credentials());
  CHECK_FALSE(request->is_conditional());
  CHECK_FALSE(asked({"Host: inhalte.test", "X-Schultor-Scheme: http", "X-Schultor-Store: 1"}, "POST")->store);
  CHECK(asked({"Host: inhalte.test", "X-Schultor-Scheme: http", "Range: bytes=-5"}));

  CHECK_FALSE(asked({"Host: inhalte.test"}));
  CHECK_FALSE(asked({"X-Schultor-Scheme: http"}));
  CHECK_FALSE(asked({"Host: a", "Host: b", "X-Schultor-Scheme: http"}));
  CHECK_FALSE(asked({"Host: Inhalte.test", "X-Schultor-Scheme: http"}));
  CHECK_FALSE(asked({"Host: inhalte.test:80", "X-Schultor-Scheme: http"}));
  CHECK_FALSE(asked({"Host: inhalte.test", "X-Schultor-Scheme: http", "X-Schultor-Store: 1", "Range: bytes=-5"}));
  CHECK_FALSE(asked({"Host: inhalte.test", "X-Schultor-Scheme: http"}, "CONNECT"));
  for (const auto* target : {"", "x", "http://inhalte.test/", "/a b", "/a#b", "/a\r\nb", "/\x7f", "*"})
    CHECK_FALSE(asked({"Host: inhalte.test", "X-Schultor-Scheme: http"}, "GET", target));
  CHECK_FALSE(asked({"Host: inhalte.test", "X-Schultor-Scheme: http"}, "GET", "/" + std::string(1U << 14U, 'x')));
}

SCENARIO("origins hear of no client") {
  const auto fields = fields_for_origin(
      slice({"X-Forwarded-For: 10.77.1.1", "Forwarded: for=x", "Via: 1.1 other", "Accept: a", "If-None-Match: \"b\""}), false);
  CHECK(fields.all() ==
        std::vector<HeaderField>{
            {"Range", "bytes=0-4"}, {"Via", "1.1 other"}, {"Accept", "a"}, {"If-None-Match", "\"b\""}, {"Via", "1.1 schultor"}});
  const auto for_the_store = fields_for_origin(
      slice({"X-Original-URL: /b", "x-http-method-override: DELETE", "X-Forwarded-Prefix: /b", "X-Requested-With: x"}), false);
  CHECK_FALSE(for_the_store.has("X-Original-URL"));
  CHECK_FALSE(for_the_store.has("X-HTTP-Method-Override"));
  CHECK_FALSE(for_the_store.has("X-Forwarded-Prefix"));
  CHECK(for_the_store.has("X-Requested-With"));
  const auto passed_on = asked({"Host: inhalte.test", "X-Schultor-Scheme: http", "X-HTTP-Method-Override: DELETE"}, "POST");
  CHECK(fields_for_origin(*passed_on, false).has("X-HTTP-Method-Override"));
  CHECK_FALSE(fields_for_origin(slice({"If-Range: \"b\""}), true).has("Range"));
  CHECK_FALSE(fields_for_origin(slice({"If-Range: \"b\""}), true).has("If-Range"));
}

SCENARIO("a slice that can be stored is handed on") {
  const auto decision = decided(told(
      206, {date, fresh, tag, part, "Expires: 0", "Age: 3", "X-Accel-Limit-Rate: 1", "X-Origin-Born: 1", "Content-Length: 5"}));
  REQUIRE(decision.move == Move::store);
  CHECK(decision.response.status == 206);
  CHECK(decision.response.length == 5);
  const std::vector<HeaderField> expected = {
      {"Date", "Fri, 27 Nov 2026 08:00:00 GMT"},
      {"ETag", "\"a\""},
      {"Content-Range", "bytes 0-4/10"},
      {"Cache-Control", "stale-if-error=2592000"},
      {"X-Accel-Expires", "57"},
      {"X-Origin-Cache-Control", "max-age=60"},
      {"X-Origin-Expires", "0"},
      {"X-Origin-Born", std::to_string((now - std::chrono::seconds{3}).time_since_epoch().count())}};
  CHECK(decision.response.fields == expected);

  THEN("what is never fresh is to be validated each time, and not to be handed out unasked where that is said") {
    const auto response = decided(told(206, {date, "Cache-Control: no-cache", tag, part})).response;
    CHECK(field(response, "X-Accel-Expires") == "@" + std::to_string(now.time_since_epoch().count() - 1));
    CHECK(field(response, "Cache-Control").empty());
  }
  THEN("a whole response is as good, where the origin knows no ranges") {
    CHECK(decided(told(200, {date, fresh})).move == Move::store);
  }
  THEN("a tag is made where there is none that is strong") {
    const auto response =
        decided(told(206, {date, fresh, part, "ETag: W/\"a\"", "Last-Modified: Thu, 26 Nov 2026 08:00:00 GMT"})).response;
    CHECK(field(response, "ETag").starts_with("\"schultor-"));
  }
}

SCENARIO("what is no slice that could be stored is asked for as a whole, once") {
  for (const auto& head : {told(206, {date, fresh, part}), told(206, {date, fresh, tag}),
                           told(206, {date, fresh, tag, "Content-Range: bytes 1-5/10"}), told(206, {date, fresh, tag, part}, 4),
                           told(206, {date, fresh, tag, part}, std::nullopt), told(416, {date, "Content-Range: bytes */0"})})
    CHECK(decided(head).move == Move::ask_whole);
  CHECK(decided(told(206, {date, fresh, tag, part}), slice(), true).move == Move::hang_up);
  CHECK(decided(told(416, {date}), slice(), true).move == Move::refuse);
}

SCENARIO("what may not be stored is refused, and says where the reason lies") {
  CHECK(decided(told(206, {date, "Cache-Control: no-store", tag, part})).refusal == Refusal::directive);
  CHECK(decided(told(206, {date, fresh, tag, "Content-Range: bytes 0-4/1001"})).refusal == Refusal::rules);
  auto endless = told(200, {date, fresh}, std::nullopt);
  endless.delimited = false;
  CHECK(decided(endless).refusal == Refusal::endless);
  auto malformed = told(200, {date, fresh});
  malformed.well_formed = false;
  CHECK(decided(malformed).refusal == Refusal::endless);

  CHECK(refusal_response(Refusal::directive, "token").fields ==
        std::vector<HeaderField>{{"X-Accel-Expires", "60"}, {"X-Schultor-Parked", "token"}});
  CHECK(refusal_response(Refusal::credentials, "").fields == std::vector<HeaderField>{{"X-Accel-Expires", "0"}});
  CHECK(refusal_response(Refusal::credentials, "").status == not_stored_status);
}

SCENARIO("an origin in trouble is absent for an engine that has something to hand out") {
  for (const int status : {500, 502, 503, 504}) {
    CHECK(decided(told(status, {date}), slice({"If-None-Match: \"a\""})).move == Move::hang_up);
    CHECK(decided(told(status, {date}), slice({"X-Schultor-Cache: EXPIRED"})).move == Move::hang_up);
    CHECK(decided(told(status, {date})).move == Move::refuse);
  }
  CHECK(decided(told(404, {date}), slice({"X-Schultor-Cache: EXPIRED"})).move == Move::refuse);
  CHECK(decided(told(304, {date}, std::nullopt)).move == Move::hang_up);
  CHECK(decided(told(304, {date, fresh}, std::nullopt), slice({"If-None-Match: \"a\""})).move == Move::store);
}

SCENARIO("a response that waits is handed out only as what is asked for") {
  const auto direct = [](std::initializer_list<std::string_view> more, std::string method = "GET") {
    RequestHead head{std::move(method), "/x", {}, true};
    REQUIRE(add_line(head.fields, "Host: inhalte.test"));
    REQUIRE(add_line(head.fields, "X-Schultor-Scheme: http"));
    for (const auto line : more) REQUIRE(add_line(head.fields, line));
    return read_engine_request(std::move(head)).value();
  };
  const ByteRange asked_for{0, 4};
  const auto all = told(206, {date, "Content-Range: bytes 0-4/5"});
  const auto first = told(206, {date, part});

  const auto response = from_parked(direct({}), all, asked_for);
  REQUIRE(response);
  CHECK(response->status == 200);
  CHECK(response->length == 5);
  CHECK(field(*response, "Content-Range").empty());
  CHECK(from_parked(direct({"Range: bytes=0-4"}), first, asked_for)->status == 206);
  CHECK(from_parked(direct({"Range: bytes=0-1"}), told(200, {date}), asked_for)->status == 200);
  CHECK(from_parked(direct({"Range: bytes=7-"}), told(416, {date}), asked_for)->status == 416);

  CHECK_FALSE(from_parked(direct({}), first, asked_for));
  CHECK_FALSE(from_parked(direct({"Range: bytes=0-1"}), all, asked_for));
  CHECK_FALSE(from_parked(direct({}), told(416, {date}), asked_for));
  CHECK_FALSE(from_parked(direct({}, "HEAD"), told(200, {date}), asked_for));
  CHECK_FALSE(from_parked(direct({}), told(206, {date, "Content-Range: bytes 0-4/5"}, 4), asked_for));
}
