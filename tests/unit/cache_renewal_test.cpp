// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/catch.hpp"

#include "daemon/cache/renewal.hpp"

using namespace schultor::cache;

namespace {

HeaderFields fields(std::initializer_list<HeaderField> list) {
  HeaderFields made;
  for (const auto& field : list) REQUIRE(made.add(field.name, field.value));
  return made;
}

const HeaderFields& stored() {
  static const auto made = fields({{"ETag", "\"a\""},
                                   {"Content-Type", "text/plain"},
                                   {"Content-Length", "5"},
                                   {"Note", "old"},
                                   {"Cache-Control", "stale-if-error=30"},
                                   {"X-Accel-Expires", "60"},
                                   {"X-Origin-Cache-Control", "max-age=60"},
                                   {"X-Origin-Born", "1795000000"},
                                   {"Date", "Mon, 23 Nov 2026 08:00:00 GMT"}});
  return made;
}

FetchedHead not_modified(std::initializer_list<HeaderField> list) { return {304, fields(list)}; }

}  // namespace

SCENARIO("what an origin says anew of what it has not changed is taken over") {
  const auto head = renewed(
      200, stored(), 5,
      not_modified(
          {{"ETag", "\"a\""}, {"Cache-Control", "max-age=3600"}, {"Note", "new"}, {"Date", "Mon, 23 Nov 2026 09:00:00 GMT"}}));
  REQUIRE(head);
  CHECK(head->status == 200);
  CHECK(head->length == 5);
  CHECK(head->fields.joined("Cache-Control") == "max-age=3600");
  CHECK(head->fields.joined("Note") == "new");
  CHECK(head->fields.joined("Date") == "Mon, 23 Nov 2026 09:00:00 GMT");
  CHECK(head->fields.joined("Content-Type") == "text/plain");
  CHECK(head->fields.joined("ETag") == "\"a\"");
  CHECK_FALSE(head->fields.has("X-Accel-Expires"));
  CHECK_FALSE(head->fields.has("X-Origin-Cache-Control"));
  CHECK_FALSE(head->fields.has("X-Origin-Born"));
}

SCENARIO("where nothing differs but the time, nothing is stored anew") {
  CHECK_FALSE(renewed(200, stored(), 5,
                      not_modified({{"Cache-Control", "max-age=60"}, {"Note", "old"}, {"Date", "Mon, 23 Nov 2026 09:00:00 GMT"}})));
  CHECK_FALSE(renewed(200, stored(), 5, not_modified({{"Content-Type", "image/png"}, {"Content-Length", "0"}})));
}

SCENARIO("nothing is renewed that is long, or would set a cookie") {
  CHECK_FALSE(renewed(200, stored(), longest_renewed + 1, not_modified({{"Note", "new"}})));
  CHECK_FALSE(renewed(200, stored(), 5, not_modified({{"Note", "new"}, {"Set-Cookie", "a=b"}})));
}
