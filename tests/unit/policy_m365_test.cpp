// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// The list as Microsoft 365's web service publishes it. None comes with the sources: it is looked for in m365/ of the directory
// that SCHULTOR_TEST_DATA names, or of ../shared/data beside the sources.
#include "daemon/policy/compile.hpp"
#include "daemon/policy/explain.hpp"
#include "netfilter/planner/build.hpp"
#include "tests/catch.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace schultor;
using namespace schultor::policy;

namespace {

std::string list_path() {
  const char* data = std::getenv("SCHULTOR_TEST_DATA");
  return (data != nullptr ? std::string(data) : std::string(SCHULTOR_SOURCE_DIR) + "/../shared/data") +
         "/m365/endpoints-worldwide.json";
}

/// Before anything else: without a list there is nothing to test, which is no success.
const std::string list = [] {
  std::ifstream file(list_path(), std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "skipped: there is no %s; SCHULTOR_TEST_DATA names the directory above m365/\n", list_path().c_str());
    std::_Exit(77);
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}();

LoadedPolicy loaded(const std::string& use) {
  config::Files files{"timezone = \"Europe/Berlin\"\n", "[cloud]\nendpoints = [" + use + "]\n",
                      "[[group]]\nname = \"3b\"\nprofile = \"exam\"\nunknown = true\n", std::nullopt};
  files.named["endpoints/m365.json"] = list;
  return load(files, config::Need::rules(false));
}

std::string ports_told(const Policy& policy, const char* name) {
  const auto told = explain(policy, policy.groups[0], Seconds{}, name);
  REQUIRE(told);
  if (told->because != "cloud") return std::string(told->because);
  CHECK(told->rule.file == "endpoints/m365.json");
  CHECK(told->rule.line > 1);
  std::string text;
  for (const auto& range : told->ports) text += base::to_string(range) + " ";
  return text;
}

}  // namespace

SCENARIO("the published list is a policy, and its required entries are warned of nowhere") {
  const auto made = loaded("\"endpoints/m365.json\"");
  for (const auto& one : made.diagnostics) UNSCOPED_INFO(to_string(one));
  REQUIRE(made.policy);
  CHECK(made.diagnostics.empty());
  CHECK(ports_told(*made.policy, "outlook.office365.com") == "tcp 80 tcp 443 udp 443 ");
  CHECK(ports_told(*made.policy, "autodiscover.schule.onmicrosoft.com") == "tcp 80 tcp 443 ");
  CHECK(ports_told(*made.policy, "static.cdn.onenote.net") == "tcp 443 ");
  CHECK(ports_told(*made.policy, "x.mail.protection.outlook.com") == "tcp 25 tcp 80 tcp 443 ");
  CHECK(ports_told(*made.policy, "www.google.com") == "default");
  const auto& ranges = made.policy->cloud_ranges;
  const CloudRange media{*base::parse_prefix("52.112.0.0/14"), {17, 3478, 3481}};
  CHECK(std::find(ranges.begin(), ranges.end(), media) != ranges.end());
}

SCENARIO("the whole published list is a policy, is warned of in one line, and is a ruleset of bearable size") {
  const auto made = loaded("{file = \"endpoints/m365.json\", optional = true}");
  for (const auto& one : made.diagnostics) UNSCOPED_INFO(to_string(one));
  REQUIRE(made.policy);
  REQUIRE(made.diagnostics.size() == 1);
  CHECK(made.diagnostics[0].text.find("where anyone may host") != std::string::npos);
  WARN(to_string(made.diagnostics[0]));
  CHECK(ports_told(*made.policy, "smtp.office365.com") == "tcp 80 tcp 143 tcp 443 tcp 587 tcp 993 tcp 995 ");
  const auto& gate = made.policy->gate;
  const auto back = gate_rules_from_json(to_json(gate));
  REQUIRE(back);
  CHECK(back->cloud.patterns() == gate.cloud.patterns());
  netfilter::planner::Intent intent;
  for (const auto& [prefix, ports] : made.policy->cloud_ranges)
    intent.cloud_services.push_back({prefix, ports.protocol, ports.first, ports.last});
  for (const auto& set : netfilter::planner::build(intent).sets)
    if (set.declaration.name == "cloud_service4" || set.declaration.name == "cloud_service6") {
      CHECK_FALSE(set.elements.empty());
      CHECK(set.elements.size() <= made.policy->cloud_ranges.size());
    }
}
