// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/catch.hpp"
#include "tools/schultorctl/command_line.hpp"
#include "tools/schultorctl/status_text.hpp"

using namespace schultor::ctl;

namespace {

std::string misuse(const std::vector<std::string>& arguments) {
  const auto request = parse_command_line(arguments);
  return request ? "" : request.error().what();
}

}  // namespace

TEST_CASE("options stand before or behind their command") {
  const auto before =
      parse_command_line(std::vector<std::string>{"--config", "/tmp/x", "--json", "explain", "--group", "3b", "a.test"});
  const auto behind = parse_command_line(std::vector<std::string>{"explain", "a.test", "--group=3b", "--json", "--config=/tmp/x"});
  for (const auto* request : {&before, &behind}) {
    REQUIRE(request->has_value());
    CHECK((*request)->command == "explain");
    CHECK((*request)->directory == "/tmp/x");
    CHECK((*request)->json);
    CHECK((*request)->group == "3b");
    CHECK((*request)->arguments == std::vector<std::string>{"a.test"});
  }
  CHECK(parse_command_line(std::vector<std::string>{"validate"})->directory == "/etc/schultor");
  CHECK(parse_command_line(std::vector<std::string>{"validate", "--at", "2027-08-01"})->at == "2027-08-01");
  CHECK(parse_command_line(std::vector<std::string>{"timeline", "--help"})->help);
}

TEST_CASE("misuse is answered with what was meant or how it is written") {
  CHECK(misuse({"statsu"}) == "there is no command “statsu”; did you mean “status”?");
  CHECK(misuse({"timeline", "--grup", "3b"}) == "there is no option --grup; did you mean “group”?");
  CHECK(misuse({"timeline", "--group", "3b"}) == "expected: schultorctl timeline --group GROUP --from DATE --to DATE");
  CHECK(misuse({"validate", "--group", "3b"}) == "validate takes no --group: schultorctl validate [--at TIME]");
  CHECK(misuse({"validate", "x"}) == "validate takes no more words: schultorctl validate [--at TIME]");
  CHECK_FALSE(misuse({}).empty());
  CHECK_FALSE(misuse({"explain", "a.test"}).empty());
  CHECK_FALSE(misuse({"explain", "--group", "a", "--device", "b", "a.test"}).empty());
  CHECK_FALSE(misuse({"explain", "--group", "a"}).empty());
  CHECK_FALSE(misuse({"timeline", "--group"}).empty());
  CHECK_FALSE(misuse({"timeline", "--gro", "a"}).empty());
}

TEST_CASE("the status is a table whose columns stand below one another, umlauts or not") {
  CHECK(align({{"a", "b", "c"}, {"äöü", "x", "y"}}) == "a    b  c\näöü  x  y\n");
  auto description =
      nlohmann::ordered_json::parse(R"({"school":"s","version":"0.1.0","time":"2026-03-27T08:00:00+01:00","policy_revision":7,
    "groups":[{"name":"gäste","profile":"school","because":"window","text":"window 08:00-17:00","since":"2026-03-27T08:00:00+01:00","until":null,
    "ownership":"byod","devices":3}],"gate":{"connected":true,"resolver_answers":null},"applied":"2026-03-27T08:00:00+01:00","broker":null})");
  const auto text = status_text(description);
  REQUIRE(text);
  CHECK(text->find("broker:   unknown (schultor-report is not running)\n") != std::string::npos);
  CHECK(text->find("gate:     connected, resolver not asked yet\n") != std::string::npos);
  CHECK(text->find("\ngäste  school   window 08:00-17:00  2026-03-27T08:00:00+01:00  -      byod       3\n") != std::string::npos);
  description["broker"] = {{"connected", true}, {"outbox_depth", 1}};
  CHECK(status_text(description)->find("connected, 1 event waiting") != std::string::npos);
  description.erase("gate");
  CHECK_FALSE(status_text(description));
  CHECK_FALSE(status_text(nlohmann::ordered_json::array()));
}
