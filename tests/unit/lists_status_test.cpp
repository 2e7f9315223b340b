// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/update_status.hpp"
#include "tests/catch.hpp"

using namespace schultor::lists;
using std::chrono::seconds;
using std::chrono::sys_seconds;

namespace {

UpdateStatus example() {
  const sys_seconds at{seconds{1'790'000'000}};
  UpdateStatus status;
  status.compiled = false;
  status.table_fault = "the lists hold more than 20000000 names";
  status.table_since = at + std::chrono::microseconds{1};
  status.lists = {{"ads", "lists.example", "00ff", UpdateState::ok, "", at, at, "ads.adblock", 7, "\"e\"", ""},
                  {"adult", "[2001:db8::1]", "", UpdateState::failed, "the server answered 503", at, std::nullopt, "", 0, "", ""}};
  return status;
}

std::string replaced(std::string_view from, std::string_view to) {
  auto text = to_json(example());
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a status is read as it was written") {
  CHECK(update_status_from_json(to_json(example())).value() == example());
  CHECK(update_status_from_json(to_json({})).value() == UpdateStatus{});
  CHECK(example().find("adult")->state == UpdateState::failed);
  CHECK(example().find("adul") == nullptr);
}

TEST_CASE("a status that was not written so is refused, with the reason") {
  CHECK(update_status_from_json("[]").error().what() == "not a JSON object");
  for (const auto& [from, to] :
       std::vector<std::pair<std::string_view, std::string_view>>{{"\"ads.adblock\"", "\"../ads.adblock\""},
                                                                  {"\"ads.adblock\"", "\"adult.domains\""},
                                                                  {"\"ads.adblock\"", "\"ads.\""},
                                                                  {"\"ads.adblock\"", "\"ads.a/b\""},
                                                                  {"\"list\": \"ads\"", "\"list\": \"Ads\""},
                                                                  {"\"list\": \"ads\"", "\"list\": \"zzz\""},
                                                                  {"\"state\": \"ok\"", "\"state\": \"good\""},
                                                                  {"\"state\": \"ok\"", "\"state\": \"held\""},
                                                                  {"1790000000", "-1"},
                                                                  {"1790000000", "999999999999"},
                                                                  {"lists.example", "lists\\nexample"},
                                                                  {"\"entries\": 7", "\"entries\": -7"},
                                                                  {"\"entries\": 7", "\"entries\": 7, \"more\": 1"},
                                                                  {"\"entries\": 7,", ""},
                                                                  {"\"compiled\": false", "\"compiled\": 0"},
                                                                  {"00ff", "00FF"},
                                                                  {"{", "{\"more\": [[[[[[]]]]]],"}})
    CHECK_FALSE(update_status_from_json(replaced(from, to)));
  CHECK_FALSE(update_status_from_json(std::string(largest_status + 1, ' ')));
}

TEST_CASE("a reason is one line, however long and of whatever octets it is") {
  CHECK(status_text("two\nlines\x7f") == "two lines\\x7f");
  CHECK(status_text("of \u202egnp.elif") == "of \\xe2\\x80\\xaegnp.elif");
  CHECK(status_text("\xff").find('\xff') == std::string::npos);
  std::string umlauts;
  for (int i = 0; i < 1000; ++i) umlauts += "ä";
  const auto text = status_text(umlauts);
  CHECK(text.size() <= longest_status_text);
  CHECK(text.ends_with("ä…"));
}

TEST_CASE("a status that is not there is one without lists") {
  CHECK(read_update_status("/nonexistent/status.json").value() == UpdateStatus{});
  CHECK_FALSE(read_update_status("/proc/self"));
}
