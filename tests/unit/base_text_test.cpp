// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/text.hpp"
#include "tests/catch.hpp"

#include <string>

using namespace schultor::base;

TEST_CASE("UTF-8 is what RFC 3629 allows") {
  for (const auto* good : {"", "a", "ä", "€", "\U0001f600", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"})
    CHECK(is_utf8(good));
  for (const auto* bad : {"\x80", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xff",
                          "a\xe4"
                          "b"})
    CHECK_FALSE(is_utf8(bad));
}

TEST_CASE("what goes to a terminal does nothing there") {
  CHECK(printable("Grüße, 7 °C, \U0001f600") == "Grüße, 7 °C, \U0001f600");
  CHECK(printable("\x1b[2J\n") == "\\x1b[2J\\x0a");
  CHECK(printable("\u009b2J") == "\\xc2\\x9b2J");
  CHECK(printable("\u202egnp.exe") == "\\xe2\\x80\\xaegnp.exe");
  CHECK(printable("a\x9b"
                  "2J\xff") == "a\\x9b2J\\xff");
  // A lead octet that has lost its character does not take the next one along.
  CHECK(printable("\xc2\x1b[m") == "\\xc2\\x1b[m");
}

TEST_CASE("what is too long ends between characters") {
  CHECK(printable("abc", 3) == "abc");
  CHECK(printable("abcd", 3) == "abc…");
  CHECK(printable("aäö", 4) == "aä…");
  CHECK(is_utf8(printable(std::string(1000, '\xff') + "ä", 1001)));
}
