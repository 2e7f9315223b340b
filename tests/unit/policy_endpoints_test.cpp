// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile.hpp"
#include "daemon/policy/explain.hpp"
#include "tests/catch.hpp"

#include <string>
#include <vector>

using namespace schultor;
using namespace schultor::policy;

namespace {

using Lines = std::vector<std::string>;

const std::string list = R"([
 {"id": 1, "serviceArea": "Exchange", "required": true,
  "urls": ["outlook.office.example", "*.outlook.example", "autodiscover.*.onmicrosoft.example"], "ips": ["203.0.113.0/25"],
  "tcpPorts": "80,443", "udpPorts": "443"},
 {"id": 2, "serviceArea": "Exchange", "required": true,
  "urls": ["smtp.outlook.example", "mail.mnspro.cloud"], "tcpPorts": "143, 587"},
 {"id": 11, "serviceArea": "Skype", "required": true,
  "ips": ["203.0.113.128/26", "2001:db8:cafe::/48"], "tcpPorts": "587", "udpPorts": "3478,3479,3480,3481,50000-59999"},
 {"id": 51, "serviceArea": "Common", "required": true,
  "urls": ["*cdn.notes.example", "mnspro.cloud"], "tcpPorts": "8443"},
 {"id": 99, "serviceArea": "Common", "required": false, "urls": ["optional.example"], "ips": ["198.51.100.0/24"], "tcpPorts": "443"}
])";

config::Files files(const std::string& json = list) {
  config::Files made{
      "timezone = \"Europe/Berlin\"\n",
      "[cloud]\ndomains = [\"mnspro.cloud\", \"*-files.sharepoint.example\"]\nendpoints = [\"endpoints/m365.json\"]\n"
      "[[profile]]\nname = \"leisure\"\naccess = \"open\"\n",
      "[[group]]\nname = \"3b\"\nprofile = \"exam\"\nunknown = true\n", std::nullopt};
  made.named["endpoints/m365.json"] = json;
  return made;
}

Policy compiled(const config::Files& given) {
  const auto loaded = load(given, config::Need::rules(false));
  for (const auto& one : loaded.diagnostics) UNSCOPED_INFO(to_string(one));
  REQUIRE(loaded.policy);
  CHECK(loaded.diagnostics.empty());
  return *loaded.policy;
}

Lines said(const std::string& json) {
  const auto loaded = load(files(json), config::Need::rules(false));
  Lines lines;
  for (const auto& one : loaded.diagnostics) lines.push_back(to_string(one));
  CHECK(loaded.policy.has_value() == !config::has_errors(loaded.diagnostics));
  return lines;
}

std::string entry(int id, const std::string& names, const std::string& ports) {
  return fmt::format(R"({{"id": {}, "required": true, "urls": [{}], "tcpPorts": "{}"}})", id, names, ports);
}

/// "cloud *.outlook.example endpoints/m365.json:2: tcp 80, tcp 443"
std::string explained(const Policy& policy, const char* name) {
  const auto told = explain(policy, policy.groups[0], Seconds{}, name);
  REQUIRE(told);
  std::string text = fmt::format("{} {} {}:{}:", told->because, told->rule_text, told->rule.file, told->rule.line);
  for (const auto& range : told->ports) text += (text.back() == ':' ? " " : ", ") + base::to_string(range);
  return text;
}

}  // namespace

SCENARIO("names of an endpoint list are the cloud's on the ports of their entry, and it is named as the rule") {
  const auto policy = compiled(files());
  CHECK(explained(policy, "outlook.office.example") ==
        "cloud outlook.office.example endpoints/m365.json:2: tcp 80, tcp 443, udp 443");
  CHECK(explained(policy, "www.a.outlook.example") == "cloud *.outlook.example endpoints/m365.json:2: tcp 80, tcp 443, udp 443");
  CHECK(explained(policy, "outlook.example").find("default") == 0);
  CHECK(explained(policy, "optional.example").find("default") == 0);
  CHECK(explained(policy, "x-files.sharepoint.example") ==
        "cloud *-files.sharepoint.example city.toml:2: tcp 80, tcp 443, udp 443");
  CHECK(policy.gate.cloud_ports.size() == 2);
}

SCENARIO("wildcards within labels hold what they spell, in any label but the last") {
  const auto policy = compiled(files());
  CHECK(explained(policy, "wwwcdn.notes.example").find("cloud *cdn.notes.example endpoints/m365.json:9") == 0);
  CHECK(explained(policy, "cdn.notes.example").find("cloud") == 0);
  CHECK(explained(policy, "cdn2.notes.example").find("default") == 0);
  CHECK(explained(policy, "autodiscover.schule.onmicrosoft.example").find("cloud autodiscover.*.onmicrosoft.example") == 0);
  CHECK(explained(policy, "autodiscover.onmicrosoft.example").find("default") == 0);
  CHECK(explained(policy, "www.schule.onmicrosoft.example").find("default") == 0);
}

SCENARIO("a name is open on the ports of all patterns that hold it, whoever wrote them") {
  const auto policy = compiled(files());
  CHECK(explained(policy, "smtp.outlook.example") ==
        "cloud smtp.outlook.example endpoints/m365.json:5: tcp 80, tcp 143, tcp 443, tcp 587, udp 443");
  // The city wrote it first; the list adds its port, for all below it too.
  CHECK(explained(policy, "www.mnspro.cloud") == "cloud mnspro.cloud city.toml:2: tcp 80, tcp 443, tcp 8443, udp 443");
  CHECK(explained(policy, "mail.mnspro.cloud") ==
        "cloud mail.mnspro.cloud endpoints/m365.json:5: tcp 80, tcp 143, tcp 443, tcp 587, tcp 8443, udp 443");
  // What is not the cloud's is not a matter of ports.
  auto open = files();
  open.school = "[[group]]\nname = \"3b\"\nprofile = \"leisure\"\nunknown = true\n";
  CHECK(explained(compiled(open), "spiele.example") == "default profile leisure is open city.toml:5:");
}

SCENARIO("addresses of services without names are open on their ports, in ranges too; those beside names are not") {
  const auto policy = compiled(files());
  std::string ranges;
  for (const auto& [prefix, ports] : policy.cloud_ranges) ranges += to_string(prefix) + " " + to_string(ports) + "\n";
  CHECK(ranges ==
        "203.0.113.128/26 tcp 587\n203.0.113.128/26 udp 3478-3481\n203.0.113.128/26 udp 50000-59999\n2001:db8:cafe::/48 tcp 587\n"
        "2001:db8:cafe::/48 udp 3478-3481\n2001:db8:cafe::/48 udp 50000-59999\n");
  auto twice = files();
  twice.city->replace(twice.city->find("[\"endpoints"), 1, "[{file = \"endpoints/m365.json\", service_areas = [\"Skype\"]}, ");
  CHECK(compiled(twice).cloud_ranges == policy.cloud_ranges);
}

SCENARIO("an entry that would have an address opened port by port for a thousand of them is an error") {
  CHECK(said("[" + entry(1, "\"a.example\"", "1-16") + "]").empty());
  CHECK(
      said("[" + entry(1, "\"b.example\"", "443") + ",\n" + entry(7, "\"a.example\"", "443, 50000-50019") + "]") ==
      Lines{
          "endpoints/m365.json:2: error: entry 7: names that are open on 21 ports (tcp 443, tcp 50000-50019), each of which would "
          "be opened by itself for every address of theirs: expected at most 16, or addresses without names"});
}

SCENARIO("more sets of ports than there are doors are an error, and the same set twice is one") {
  std::string json = "[" + entry(0, "\"a.example\"", "443,80");
  for (int i = 1; i < 16; ++i) json += ",\n" + entry(i, "\"a.example\"", std::to_string(1000 + i));
  CHECK(said(json + "]").empty());
  CHECK(said(json + ",\n" + entry(16, "\"b.example\"", "80, 443") + "]").empty());
  CHECK(said(json + ",\n" + entry(16, "\"b.example\"", "25") + "]") ==
        Lines{"endpoints/m365.json:17: error: entry 16: names that are open on tcp 25: expected at most 16 different sets of ports "
              "for names in all lists, tcp 80, tcp 443, udp 443 aside"});
}

SCENARIO("names that are none, and whole top-level domains, are refused with the entry's line") {
  CHECK(said("[" + entry(1, "\"a.example\"", "443") + ",\n" + entry(7, "\"https://a.example/\"", "443") + "]") ==
        Lines{"endpoints/m365.json:2: error: entry 7: urls: “https://a.example/” is no domain name: expected letters, digits, “-”, "
              "“_” and “*” between dots"});
  for (const char* wide : {"\"example\"", "\"*.example\""}) {
    const auto lines = said("[" + entry(1, "\"a.example\"", "443") + ",\n" + entry(7, wide, "443") + "]");
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find("endpoints/m365.json:2: error: ") == 0);
    CHECK(lines[0].find("opens a whole top-level domain always") != std::string::npos);
  }
}

SCENARIO("of names under which anyone may host a list is warned of once, with some of them") {
  CHECK(said("[" + entry(1, "\"ours.blob.core.windows.net\"", "443") + "]").empty());
  CHECK(said("[" + entry(1, "\"a.example\"", "443") + ",\n" + entry(2, "\"*.Blob.core.windows.net\"", "443") + "]") ==
        Lines{"endpoints/m365.json:2: warning: 1 of the list's names opens always where anyone may host: “*.blob.core.windows.net” "
              "(line "
              "2); expected a selection without it, and in [cloud] domains the names that the cloud itself uses there"});
  const auto lines =
      said("[" + entry(1, "\"*.azureedge.net\", \"*.windows.net\"", "443") + ",\n" + entry(2, "\"*.azureedge.net\"", "25") + ",\n" +
           entry(3, "\"trafficmanager.net\", \"*.cloudfront.net\", \"*.github.io\"", "443") + "]");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("endpoints/m365.json:1: warning: 5 of the list's names open always where anyone may host: “*.azureedge.net” "
                      "(line 1), “*.cloudfront.net” (line 3), “*.github.io” (line 3) and 2 more; expected") == 0);
}

SCENARIO("ranges beyond what a ruleset can bear are an error, not a gateway that thinks for minutes") {
  std::string json = "[{\"id\": 1, \"required\": true, \"ips\": [\"203.0.113.0/24\"], \"tcpPorts\": \"1\"}";
  for (int i = 0; i < 70; ++i) {
    json += fmt::format(",\n{{\"id\": {}, \"required\": true, \"ips\": [\"198.51.100.{}\"], \"tcpPorts\": \"1", i + 2, i);
    for (int port = 3; port < 128; port += 2) json += fmt::format(",{}", port);
    json += "\"}";
  }
  const auto lines = said(json + "]");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] ==
        "endpoints/m365.json:71: error: 4481 ranges of addresses and ports are the cloud's with this entry: expected at "
        "most 4096");
}
