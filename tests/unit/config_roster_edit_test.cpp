// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/roster_edit.hpp"
#include "tests/catch.hpp"

using namespace schultor;
using namespace schultor::config;

namespace {

base::Mac mac(const std::string& text) { return base::parse_mac(text).value(); }

std::string edited(std::string_view text, const RosterEdits& edits) {
  const auto result = edit_roster(text, edits);
  return result ? *result : "error: " + result.error().what();
}

const RosterDevice one{mac("02:77:00:00:00:01"), "3b", "Tablet 1"};
const RosterDevice nine{mac("02:77:00:00:00:09"), "3b", "Neu; \"rot\""};

}  // namespace

TEST_CASE("what no edit concerns stays as it is, octet by octet") {
  const std::string text =
      "\xef\xbb\xbf# tablets\r\nMAC ; Group;NAME\r\n\r\n  # one\r\n02-77-00-00-00-01 ; 3a ;\"Tablet 1\"\r\n0277.0000.0002;3a\n"
      "027700000003;\"3a\";x";
  CHECK(edited(text, {}) == text);
  CHECK(edited(text, {{one}, {}}) ==
        "\xef\xbb\xbf# tablets\r\nMAC ; Group;NAME\r\n\r\n  # one\r\n02-77-00-00-00-01;3b;Tablet "
        "1\r\n0277.0000.0002;3a\n027700000003;\"3a\";x");
  CHECK(
      edited(text, {{}, {mac("02:77:00:00:00:02")}}) ==
      "\xef\xbb\xbf# tablets\r\nMAC ; Group;NAME\r\n\r\n  # one\r\n02-77-00-00-00-01 ; 3a ;\"Tablet 1\"\r\n027700000003;\"3a\";x");
}

TEST_CASE("a new device stands at the end, with the roster's separator and line end") {
  CHECK(edited("mac;group;name\r\n02:77:00:00:00:01;3b", {{nine}, {}}) ==
        "mac;group;name\r\n02:77:00:00:00:01;3b\r\n02:77:00:00:00:09;3b;\"Neu; \"\"rot\"\"\"\r\n");
  CHECK(edited("mac;group\r\n02:77:00:00:00:01;3b\r", {{nine}, {}}) ==
        "mac;group\r\n02:77:00:00:00:01;3b\r\n02:77:00:00:00:09;3b\r\n");
  CHECK(edited("mac;group\n\r", {{nine}, {}}) == "mac;group\n\r\n02:77:00:00:00:09;3b\n");
  CHECK(edited("mac,group\n", {{nine}, {}}) == "mac,group\n02:77:00:00:00:09,3b\n");
  CHECK(edited("mac,group,name", {{nine}, {}}) == "mac,group,name\n02:77:00:00:00:09,3b,\"Neu; \"\"rot\"\"\"\n");
  CHECK(edited("", {{nine}, {}}) == "mac,group,name\n02:77:00:00:00:09,3b,\"Neu; \"\"rot\"\"\"\n");
  CHECK(edited("", {}) == "mac,group,name\n");
  CHECK(edited("mac,group,name\n", {{{nine.mac, "3b", ""}}, {}}) == "mac,group,name\n02:77:00:00:00:09,3b\n");
}

TEST_CASE("a name that is kept is kept with its blanks and control characters") {
  for (const std::string name : {" x", "x ", "x\r", "\tx"}) {
    const auto line = [&](const std::string& group) {
      return "mac,group,name\n02:77:00:00:00:01," + group + ",\"" + name + "\"\n";
    };
    CHECK(edited(line("3a"), {{{one.mac, "3b", name}}, {}}) == line("3b"));
  }
}

TEST_CASE("what would be no roster is not made") {
  CHECK(edited("mac,group\n02:77:00:00:00:01,3b\n02:77:00:00:00:01,3a\n", {}) ==
        "error: roster.csv:3:1: error: 02:77:00:00:00:01 is in the roster twice, first at roster.csv:2");
  CHECK(edited("# nothing else\n", {}).find("error: ") == 0);
  CHECK(edited("", {{{nine.mac, "3,b", ""}}, {}}).find("error: the roster would not be valid: ") == 0);
  CHECK(edited("", {{{mac("01:00:5e:00:00:01"), "3b", ""}}, {}}).find("error: ") == 0);
  CHECK(edited("", {{{nine.mac, "3b", std::string(129, 'x')}}, {}}).find("error: ") == 0);
  CHECK(edited("", {{{nine.mac, "3b", "two\nlines"}}, {}}).find("error: ") == 0);
  CHECK(edited("", {{nine, {nine.mac, "3a", ""}}, {}}).find("error: ") == 0);
}
