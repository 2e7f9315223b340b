// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/catch.hpp"

#include "netfilter/planner/build.hpp"
#include "tests/kernel/netfilter_examples.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace schultor;
using namespace schultor::netfilter;

namespace {

/// Holds `text` against the file, or with SCHULTOR_REGENERATE set writes it there, to be reviewed as a diff.
void check_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(SCHULTOR_SOURCE_DIR) + "/tests/golden/ruleset/" + name;
  if (std::getenv("SCHULTOR_REGENERATE")) {
    std::ofstream(path) << text;
    WARN("wrote " << path);
    return;
  }
  std::ifstream file(path);
  INFO("if the change is meant, run with SCHULTOR_REGENERATE=1 and review the diff of " << path);
  REQUIRE(file);
  std::ostringstream expected;
  expected << file.rdbuf();
  CHECK(text == expected.str());
}

planner::Intent narrow() {
  planner::Intent intent;
  intent.lan_interfaces = {"lan0"};
  intent.devices = {{test::mac("02:77:00:00:00:01"), 1}};
  intent.links = {{"lan0", 2}};
  intent.profiles = {{"school", true, 1}, {"leisure", false, 0}};
  intent.groups = {{1, "school", 1, 1}, {2, "leisure", 2, 1}};
  return intent;
}

}  // namespace

TEST_CASE("the ruleset of a box without anything configured refuses all") {
  check_golden("empty.nft", model::render(planner::build({})));
}
TEST_CASE("the ruleset of one listed and one open profile") { check_golden("narrow.nft", model::render(planner::build(narrow()))); }
TEST_CASE("the ruleset of a kernel with flowtables") {
  auto intent = narrow();
  intent.offloaded = {"wan0", "lan0"};
  check_golden("offload.nft", model::render(planner::build(intent)));
}
TEST_CASE("the ruleset of a box that answers on its own addresses") {
  auto intent = narrow();
  intent.web = planner::Web{{test::address("10.77.0.1"), test::address("fd77::1")}, {1}};
  check_golden("web.nft", model::render(planner::build(intent)));
}
TEST_CASE("the ruleset of a school with ranges, networks and three profiles") {
  check_golden("school.nft", model::render(planner::build(test::school())));
}
