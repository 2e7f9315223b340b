// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/header_fields.hpp"

#include "tests/catch.hpp"

using namespace schultor::cache;

TEST_CASE("fields are found whatever the case of their names, and joined in their order") {
  HeaderFields fields;
  CHECK(add_line(fields, "Vary: a"));
  CHECK(add_line(fields, "ETag:\t\"x\" "));
  CHECK(add_line(fields, "vARY:b , c"));
  CHECK(fields.joined("vary") == "a, b , c");
  CHECK(fields.first("VARY") == "a");
  CHECK_FALSE(fields.single("Vary"));
  CHECK(fields.single("etag") == "\"x\"");
  CHECK_FALSE(fields.joined("Expires"));
  fields.remove("vary");
  CHECK(fields.all().size() == 1);
}

TEST_CASE("what is no field is left out") {
  HeaderFields fields;
  for (const auto* line : {"no colon", ": empty", "a b: c", "a : c", "a: b\rc", "a: b\nSet-Cookie: x", "\xe4: b"})
    CHECK_FALSE(add_line(fields, line));
  CHECK_FALSE(fields.add("a", std::string_view("b\0c", 3)));
  CHECK_FALSE(fields.add(std::string_view("a\0", 2), "b"));
  CHECK(fields.all().empty());
  CHECK(fields.add("a", "b\xe4"));
  CHECK(fields.add("a", ""));
}

TEST_CASE("fields are bounded by number and by octets, and what is removed makes room") {
  HeaderFields many;
  for (std::size_t i = 0; i < HeaderFields::most_fields; ++i) CHECK(many.add("a", "b"));
  CHECK_FALSE(many.add("a", "b"));

  HeaderFields long_one;
  CHECK(long_one.add("a", std::string(HeaderFields::most_octets - 1, 'x')));
  CHECK_FALSE(long_one.add("b", ""));
  long_one.remove("A");
  CHECK(long_one.add("b", ""));
}

TEST_CASE("a list is cut at its commas, not at those of a quoted string") {
  using List = std::vector<std::string_view>;
  CHECK(list_members(" a ,, b=\"c, \\\" d\",e, ") == List{"a", "b=\"c, \\\" d\"", "e"});
  CHECK(list_members("").empty());
  CHECK(list_members("a\"b, c") == List{"a\"b", "c"});
}

TEST_CASE("what concerns one connection is not handed on") {
  HeaderFields fields;
  for (const auto* line : {"Connection: close, X-Mine", "x-mine: 1", "Keep-Alive: timeout=5", "Transfer-Encoding: chunked",
                           "TE: trailers", "Upgrade: h2c", "Proxy-Authenticate: Basic", "Trailer: a", "X-Other: 2"})
    REQUIRE(add_line(fields, line));
  CHECK(end_to_end(fields).all() == std::vector<HeaderField>{{"X-Other", "2"}});
}
