// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/cache_control.hpp"

#include "tests/catch.hpp"

using namespace schultor::cache;
using namespace std::chrono_literals;

TEST_CASE("Cache-Control is read whatever its case, order and blanks") {
  const auto control =
      read_cache_control(" ,nO-StOrE ,\tprivate, Public,no-cache,must-revalidate,proxy-revalidate,, max-age=3600,S-MaxAge=7");
  CHECK(control.no_store);
  CHECK(control.is_private);
  CHECK(control.is_public);
  CHECK(control.no_cache);
  CHECK(control.must_revalidate);
  CHECK(control.proxy_revalidate);
  CHECK(control.max_age == 3600s);
  CHECK(control.s_maxage == 7s);
  CHECK(read_cache_control("") == CacheControl{});
  CHECK(read_cache_control("foobar, x=\"y\", no-stores, xprivate") == CacheControl{});
}

TEST_CASE("what stands in a quoted string is no directive") {
  CHECK(read_cache_control("extension=\"max-age=3600\", max-age=1").max_age == 1s);
  CHECK(read_cache_control("max-age=1, extension=\"max-age=3600\"").max_age == 1s);
  CHECK_FALSE(read_cache_control("extension=\"a, no-store, b\"").no_store);
  CHECK_FALSE(read_cache_control("extension=\"a \\\" , no-store, b\"").no_store);
}

TEST_CASE("a quoted string that does not end hides no directive") {
  CHECK(read_cache_control("extension=\"a, no-store").no_store);
  CHECK(read_cache_control("extension=\"a\\\", private").is_private);
}

TEST_CASE("a directive with a list of fields counts as the one without") {
  CHECK(read_cache_control("private=\"set-cookie, a\", max-age=9").is_private);
  CHECK(read_cache_control("no-cache=\"a\"").no_cache);
  CHECK(read_cache_control("private=\"set-cookie, a\", max-age=9").max_age == 9s);
}

TEST_CASE("of two times the shorter counts, and one that cannot be read is none at all") {
  CHECK(read_cache_control("max-age=1800, max-age=1").max_age == 1s);
  CHECK(read_cache_control("max-age=1, max-age=1800").max_age == 1s);
  CHECK(read_cache_control("max-age=\"3600\"").max_age == 3600s);
  CHECK(read_cache_control("max-age=003600").max_age == 3600s);
  for (const auto* text : {"max-age=-3600", "max-age=3600.5", "max-age=3600a", "max-age=a3600", "max-age = 3600", "max-age= 3600",
                           "max-age", "max-age=", "max-age='3600'", "max-age=3600; x", "max-age=3600, max-age=x", "max-age=\"3600"})
    CHECK(read_cache_control(text).max_age == 0s);
}

TEST_CASE("times are bounded as RFC 9111 has it") {
  CHECK(read_cache_control("max-age=2147483648").max_age == longest_delta);
  CHECK(read_cache_control("max-age=99999999999999999999999999999999999999").max_age == longest_delta);
}
