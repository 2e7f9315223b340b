// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/byte_range.hpp"
#include "daemon/cache/entity_tag.hpp"
#include "daemon/cache/http_date.hpp"

#include "tests/catch.hpp"

using namespace schultor::cache;

namespace {

const auto now = *read_http_date("Fri, 27 Nov 2026 08:00:00 GMT", {});

HeaderFields fields(std::initializer_list<std::string_view> lines) {
  HeaderFields all;
  for (const auto line : lines) REQUIRE(add_line(all, line));
  return all;
}

constexpr auto date = "Date: Fri, 27 Nov 2026 08:00:00 GMT";
constexpr auto modified = "Last-Modified: Thu, 26 Nov 2026 08:00:00 GMT";

HeaderFields restored(std::initializer_list<std::string_view> lines) {
  auto all = fields(lines);
  restore_conditions(all);
  return all;
}

}  // namespace

TEST_CASE("a tag is strong unless it says that it is weak, or is none") {
  for (const auto* tag : {"\"abc\"", "\"\"", "\"W/\""}) CHECK(is_strong_tag(tag));
  for (const auto* tag : {"W/\"abc\"", "abc", "", "\"", "\"a\"b\"", "\"a b\"", "\"a\", \"b\""}) CHECK_FALSE(is_strong_tag(tag));
}

SCENARIO("slices of a representation without a strong tag get one that changes with it") {
  const auto tag = made_tag(fields({date, modified}), 1000, now);
  REQUIRE(tag);
  CHECK(is_strong_tag(*tag));
  CHECK(made_tag(fields({date, modified}), 1000, now) == tag);
  CHECK(made_tag(fields({date, modified}), 1001, now) != tag);
  CHECK(made_tag(fields({date, "Last-Modified: Thu, 26 Nov 2026 08:00:01 GMT"}), 1000, now) != tag);
  CHECK(made_tag(fields({date, modified, "ETag: W/\"a\""}), 1000, now) !=
        made_tag(fields({date, modified, "ETag: W/\"b\""}), 1000, now));

  THEN("none is made of what may change without the tag's changing") {
    CHECK_FALSE(made_tag(fields({date}), 1000, now));
    CHECK_FALSE(made_tag(fields({modified}), 1000, now));
    CHECK_FALSE(made_tag(fields({date, "Last-Modified: Fri, 27 Nov 2026 08:00:00 GMT"}), 1000, now));
    CHECK_FALSE(made_tag(fields({date, "Last-Modified: soon"}), 1000, now));
  }
}

SCENARIO("an origin is asked about what it knows, not about a tag that was made for it") {
  const auto tag = *made_tag(fields({date, modified}), 1000, now);
  const auto with_weak = *made_tag(fields({date, modified, "ETag: W/\"a-b\""}), 1000, now);

  CHECK(restored({std::string("If-None-Match: ") + tag}) == fields({"If-Modified-Since: Thu, 26 Nov 2026 08:00:00 GMT"}));
  CHECK(restored({"If-None-Match: W/" + tag}) == fields({"If-Modified-Since: Thu, 26 Nov 2026 08:00:00 GMT"}));
  CHECK(restored({"If-None-Match: " + tag, "If-Modified-Since: Thu, 26 Nov 2026 08:00:00 GMT"}) ==
        fields({"If-Modified-Since: Thu, 26 Nov 2026 08:00:00 GMT"}));
  CHECK(restored({"If-None-Match: " + with_weak}) == fields({"If-None-Match: W/\"a-b\""}));
  CHECK(restored({"If-None-Match: \"x\", " + tag}) == fields({"If-None-Match: \"x\""}));
  for (const auto* line :
       {"If-None-Match: \"x\", W/\"y\"", "If-None-Match: *", "If-None-Match: \"schultor-\"", "If-None-Match: \"schultor-zz-1\"",
        "If-None-Match: \"schultor--1-1\"", "If-None-Match: \"schultor-7fffffffffffffff-1\"", "Range: bytes=0-1"})
    CHECK(restored({line}) == fields({line}));
}

TEST_CASE("a slice is a range with both ends") {
  CHECK(read_slice("bytes=0-4194303") == ByteRange{0, 4194303});
  CHECK(read_slice("Bytes=5-5") == ByteRange{5, 5});
  for (const auto* text : {"", "bytes=", "bytes=-5", "bytes=5-", "bytes=5-4", "bytes=0-1,2-3", "bytes=a-b", "items=0-1",
                           "bytes=+1-2", "bytes= 0-1", "bytes=0-99999999999999999999", "bytes=0-9223372036854775808"})
    CHECK_FALSE(read_slice(text));
}

TEST_CASE("what a part holds is read with the length of the whole") {
  CHECK(read_content_range("bytes 0-99/1234") == ContentRange{{0, 99}, 1234});
  for (const auto* text :
       {"", "bytes 0-99/*", "bytes */1234", "bytes 0-99/99", "bytes 9-0/99", "bytes=0-99/1234", "bytes 0-99", "bytes  0-99/1234"})
    CHECK_FALSE(read_content_range(text));
  CHECK(read_content_range("bytes 0-99/100")->is_whole());
  CHECK_FALSE(read_content_range("bytes 1-99/100")->is_whole());
  CHECK_FALSE(read_content_range("bytes 0-98/100")->is_whole());
}

TEST_CASE("a part is what was asked for, or what there is of it") {
  CHECK(answers({{0, 99}, 1000}, {0, 99}));
  CHECK(answers({{0, 49}, 50}, {0, 99}));
  CHECK_FALSE(answers({{0, 49}, 1000}, {0, 99}));
  CHECK_FALSE(answers({{1, 99}, 1000}, {0, 99}));
  CHECK_FALSE(answers({{0, 100}, 1000}, {0, 99}));
}
