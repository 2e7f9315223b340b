// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/endpoints.hpp"
#include "daemon/config/load.hpp"
#include "tests/catch.hpp"

#include <netinet/in.h>

using namespace schultor;
using namespace schultor::config;

namespace {

using Lines = std::vector<std::string>;

/// The shape in which the web service publishes, in small.
const std::string list = R"([
 {
  "id": 1,
  "serviceArea": "Exchange",
  "serviceAreaDisplayName": "Exchange Online",
  "urls": [
   "mail.cloud.example",
   "*cdn.notes.example"
  ],
  "ips": [
   "203.0.113.0/25",
   "2001:db8:cafe::/48"
  ],
  "tcpPorts": "80,443",
  "udpPorts": "443",
  "category": "Optimize",
  "required": true
 },
 {
  "id": 2,
  "serviceArea": "Exchange",
  "urls": ["mail.cloud.example", "smtp.cloud.example"],
  "tcpPorts": "143, 587, 993, 995",
  "notes": "for old programs",
  "required": false
 },
 {
  "id": 11,
  "serviceArea": "Skype",
  "ips": ["203.0.113.128/26"],
  "udpPorts": "3478,3479,3480,3481",
  "required": true
 },
 {
  "id": 56,
  "serviceArea": "Common",
  "urls": ["login.cloud.example"],
  "tcpPorts": "443",
  "required": true
 }
])";

struct Read {
  std::vector<Endpoint> endpoints;
  Lines said;
  [[nodiscard]] std::vector<std::uint64_t> ids() const {
    std::vector<std::uint64_t> all;
    for (const auto& endpoint : endpoints) all.push_back(endpoint.id);
    return all;
  }
};

Read read(const std::string& json, const EndpointSelection& selection = {}) {
  Diagnostics out;
  Read result{read_endpoints(json, "endpoints/m365.json", selection, out), {}};
  for (const auto& one : std::move(out).take()) result.said.push_back(to_string(one));
  return result;
}

/// What is said of a list of one entry: a faultless one in which `from` became `to`.
Lines said_of(const std::string& from, const std::string& to) {
  std::string json =
      "[{\"id\": 7, \"serviceArea\": \"Common\", \"required\": true,\n\"urls\": [\"a.example\"],\n\"ips\": [\"203.0.113.0/24\"],\n"
      "\"tcpPorts\": \"443\"}]";
  REQUIRE(read(json).said.empty());
  const auto at = json.find(from);
  REQUIRE(at != std::string::npos);
  return read(json.replace(at, from.size(), to)).said;
}

std::string fault_of(const std::string& from, const std::string& to) {
  const auto lines = said_of(from, to);
  CAPTURE(from, to, lines);
  REQUIRE(lines.size() == 1);
  return lines.front();
}

std::vector<PortRange> ports_of(const std::string& text) {
  const auto result = read("[{\"id\":7,\"required\":true,\"urls\":[\"a.example\"],\"udpPorts\":\"" + text + "\"}]");
  CAPTURE(text, result.said);
  CHECK(result.endpoints.at(0).ports.empty() == (result.said.size() == 1));
  return result.endpoints.at(0).ports;
}

}  // namespace

SCENARIO("of a list, the required entries are taken, with names, addresses and ports, and the line that each begins on") {
  const auto result = read(list);
  CHECK(result.said.empty());
  REQUIRE(result.ids() == std::vector<std::uint64_t>{1, 11, 56});
  const auto& mail = result.endpoints[0];
  CHECK(mail.names == Lines{"mail.cloud.example", "*cdn.notes.example"});
  REQUIRE(mail.prefixes.size() == 2);
  CHECK(to_string(mail.prefixes[1]) == "2001:db8:cafe::/48");
  CHECK(mail.ports == std::vector<PortRange>{{IPPROTO_TCP, 80, 80}, {IPPROTO_TCP, 443, 443}, {IPPROTO_UDP, 443, 443}});
  CHECK(mail.source == Source{"endpoints/m365.json", 2, 0});
  CHECK(result.endpoints[1].names.empty());
  CHECK(result.endpoints[1].ports == std::vector<PortRange>{{IPPROTO_UDP, 3478, 3481}});
  CHECK(result.endpoints[1].source.line == 27);
  CHECK(result.endpoints[2].source.line == 34);
}

SCENARIO("a list on one line, or with the line ends of another system, is the same list") {
  std::string one_line, carriage_returns;
  for (const char c : list) {
    if (c != '\n') one_line += c;
    carriage_returns += c == '\n' ? "\r\n" : std::string(1, c);
  }
  CHECK(read(one_line).endpoints.back().source.line == 1);
  CHECK(read(one_line).ids() == read(list).ids());
  CHECK(read(carriage_returns).endpoints == read(list).endpoints);
  CHECK(read("\xef\xbb\xbf" + list).endpoints == read(list).endpoints);
}

SCENARIO("entries that are not required are taken where that is asked for") {
  CHECK(read(list, {true, {}}).ids() == std::vector<std::uint64_t>{1, 2, 11, 56});
}

SCENARIO("service areas pick entries, Common is always among them, and one that the list does not hold is named") {
  CHECK(read(list, {false, {"Skype"}}).ids() == std::vector<std::uint64_t>{11, 56});
  CHECK(read(list, {true, {"Exchange"}}).ids() == std::vector<std::uint64_t>{1, 2, 56});
  CHECK(read(list, {false, {"Common"}}).ids() == std::vector<std::uint64_t>{56});
  CHECK(read(list, {false, {"Exchang"}}).said ==
        Lines{"endpoints/m365.json:1: error: city.toml asks for service area “Exchang”, which no entry of the list is in; did you "
              "mean “Exchange”?"});
}

SCENARIO("a list that would open nothing is not taken for one") {
  CHECK(read("[]").said == Lines{"endpoints/m365.json:1: error: the list holds no entry, expected those of the cloud"});
  CHECK(read(R"([{"id":2,"required":false,"urls":["a.example"],"tcpPorts":"25"}])").said ==
        Lines{"endpoints/m365.json:1: warning: no entry of the list is taken, so it opens nothing: none that is asked for is "
              "required"});
}

SCENARIO("ports are read as the web service writes them, and not otherwise") {
  using Ports = std::vector<PortRange>;
  CHECK(ports_of("443") == Ports{{IPPROTO_UDP, 443, 443}});
  CHECK(ports_of("443, 80 ,443") == Ports{{IPPROTO_UDP, 80, 80}, {IPPROTO_UDP, 443, 443}});
  CHECK(ports_of("3478-3481") == Ports{{IPPROTO_UDP, 3478, 3481}});
  CHECK(ports_of("50000 - 59999,3480,3478-3479") == Ports{{IPPROTO_UDP, 3478, 3480}, {IPPROTO_UDP, 50000, 59999}});
  CHECK(ports_of("1-65535") == Ports{{IPPROTO_UDP, 1, 65535}});
  std::string many = "1";
  for (int i = 1; i < 64; ++i) many += "," + std::to_string(2 * i + 1);
  CHECK(ports_of(many).size() == 64);
  for (const std::string& text :
       {std::string(""), std::string(" "), std::string(","), std::string("443,"), std::string("0"), std::string("65536"),
        std::string("+1"), std::string("-1"), std::string("1-"), std::string("1-2-3"), std::string("90-80"), std::string("0443"),
        std::string("4 43"), std::string("443;80"), std::string("http"), std::string("0x50"), std::string("80\\t"), many + ",200"})
    CHECK(ports_of(text).empty());
}

SCENARIO("what is missing or odd in an entry that is taken is said with the entry's id and what was expected") {
  CHECK(fault_of("\"443\"", "\"http\"") ==
        "endpoints/m365.json:4: error: entry 7: tcpPorts: “http” is no list of at most 64 ports: expected one such as “80,443” or "
        "“3478-3481”");
  CHECK(fault_of("\"443\"", "443") == "endpoints/m365.json:4: error: entry 7: tcpPorts: expected a text such as \"80,443\"");
  CHECK(fault_of("\"tcpPorts\"", "\"ports\"") ==
        "endpoints/m365.json:1: error: entry 7: neither tcpPorts nor udpPorts, expected a text such as \"80,443\"");
  CHECK(fault_of("[\"a.example\"]", "\"a.example\"") ==
        "endpoints/m365.json:2: error: entry 7: urls: expected a list of names such as [\"*.office.com\"]");
  CHECK(fault_of("\"a.example\"", "[\"a.example\"]").find(":2: error: entry 7: urls: expected") != std::string::npos);
  CHECK(fault_of("\"a.example\"", "null").find(":2: error: entry 7: urls: expected") != std::string::npos);
  CHECK(fault_of("\"id\": 7, ", "") == "endpoints/m365.json:1: error: an entry without id: expected one, a number from 0 up");
  CHECK(fault_of("\"id\": 7", "\"id\": -7") ==
        "endpoints/m365.json:1: error: an entry without id: id: expected a number from 0 up");
  CHECK(fault_of("\"required\": true,", "") ==
        "endpoints/m365.json:1: error: entry 7: required is missing, expected true or false");
  CHECK(fault_of("true", "\"yes\"") == "endpoints/m365.json:1: error: entry 7: required: expected true or false");
  CHECK(said_of("\"urls\": [\"a.example\"],\n\"ips\": [\"203.0.113.0/24\"],\n", "") ==
        Lines{"endpoints/m365.json:1: error: entry 7: neither urls nor ips, expected names, addresses or both"});
}

SCENARIO("addresses that are no network of the internet, or half of it, are errors") {
  const auto open = [](const std::string& prefix) { return said_of("203.0.113.0/24", prefix).empty(); };
  for (const char* fine : {"8.0.0.0/8", "13.107.64.0/18", "203.0.113.7/32", "203.0.113.7", "2603::/16", "2603:1063::/38"}) {
    INFO(fine);
    CHECK(open(fine));
  }
  for (const char* odd : {"0.0.0.0/0",
                          "8.0.0.0/7",
                          "2600::/15",
                          "::/0",
                          "10.77.0.0/16",
                          "192.168.1.0/24",
                          "172.16.0.0/12",
                          "172.0.0.0/8",
                          "127.0.0.1/32",
                          "169.254.0.0/16",
                          "100.64.0.0/10",
                          "224.0.0.0/8",
                          "255.255.255.255",
                          "fd77::/64",
                          "fe80::/16",
                          "ff00::/16",
                          "::1/128",
                          "2002:a00::/24",
                          "::ffff:10.0.0.0/112",
                          "64:ff9b::/96",
                          "203.0.113.1/24",
                          "203.0.113.0/33",
                          "203.0.113",
                          "a.example",
                          ""}) {
    const auto line = fault_of("203.0.113.0/24", odd);
    CHECK(line.find("endpoints/m365.json:3: error: entry 7: ips: ") == 0);
  }
}

SCENARIO("what is wrong with an entry that is not taken concerns nobody") {
  auto odd = list;
  odd.insert(odd.rfind(']'), R"(, {"id": 8, "required": false, "urls": 3, "ips": ["0.0.0.0/0"], "tcpPorts": [1]})");
  CHECK(read(odd).said.empty());
  CHECK(read(odd).ids() == read(list).ids());
  CHECK(read(odd, {true, {}}).said.size() == 3);
}

SCENARIO("members that nobody asks for are passed over, and one that occurs twice counts the last time") {
  CHECK(said_of("\"id\"", R"("more": {"urls": [1, [2, {"id": "x"}]], "id": null}, "other": [[[1.5e3, true]]], "id")").empty());
  const auto twice = read(
      R"([{"id":1,"id":2,"required":false,"required":true,"urls":["a.example"],"urls":["b.example"],"tcpPorts":"1","tcpPorts":"2"}])");
  CHECK(twice.said.empty());
  REQUIRE(twice.ids() == std::vector<std::uint64_t>{2});
  CHECK(twice.endpoints[0].names == Lines{"b.example"});
  CHECK(twice.endpoints[0].ports == std::vector<PortRange>{{IPPROTO_TCP, 2, 2}});
}

SCENARIO("what is no list of entries is refused with the line, and nothing of it is taken") {
  const auto refused = [](const std::string& json) {
    const auto result = read(json);
    CHECK(result.endpoints.empty());
    return result.said.size() == 1 ? result.said[0] : std::string();
  };
  CHECK(refused("") == "endpoints/m365.json:1: error: the file is empty, expected a list of entries, [ {…}, … ]");
  CHECK(refused("{\"error\": \"no such instance\"}") == "endpoints/m365.json:1: error: expected a list of entries, [ {…}, … ]");
  for (const char* odd : {"1", "null", "\"x\"", "[1]", "[[]]", "[null]", "[\"a\"]"}) {
    INFO(odd);
    CHECK(refused(odd) == "endpoints/m365.json:1: error: expected a list of entries, [ {…}, … ]");
  }
  const std::string no_json = "no JSON from here on: expected the list as the web service publishes it";
  CHECK(refused("[\n{\"id\": 1},\n<html>") == "endpoints/m365.json:3: error: " + no_json);
  CHECK(refused(list.substr(0, list.size() - 1)) == "endpoints/m365.json:41: error: " + no_json);
  CHECK(refused(list + "]") == "endpoints/m365.json:41: error: " + no_json);
  CHECK(refused("[{\"id\": 1, \"notes\": \"\xff\"}]") == "endpoints/m365.json:1: error: " + no_json);
  CHECK(refused("[{\"id\": 1e999}]") == "endpoints/m365.json:1: error: " + no_json);
}

SCENARIO("a list beyond all bounds is refused, not read to its end") {
  const auto refused = [](const std::string& json) {
    const auto result = read(json);
    REQUIRE(result.said.size() == 1);
    CHECK(result.endpoints.empty());
    return result.said[0];
  };
  CHECK(refused("[{\"more\": " + std::string(1'000'000, '[')) == "endpoints/m365.json:1: error: nested deeper than 16 levels");
  std::string entries = "[{}", names = "[{\"urls\": [\"a\"";
  for (std::size_t i = 0; i < most_endpoints; ++i) entries += ",\n{}";
  for (std::size_t i = 0; i < most_endpoint_values; ++i) names += ",\"a\"";
  CHECK(refused(entries + "]").find(":2001: error: more than 2000 entries") != std::string::npos);
  CHECK(refused(names + "]}]").find("error: more than 20000 names and addresses") != std::string::npos);
  CHECK(fault_of("a.example", std::string(513, 'a')).find("urls: expected a list of names") != std::string::npos);
}

SCENARIO("city.toml names lists, each with its selection") {
  Files files;
  files.city =
      "[cloud]\nendpoints = [\"endpoints/m365.json\", {file = \"endpoints/m365.json\", optional = true, service_areas = "
      "[\"Exchange\"]}]\n";
  files.named["endpoints/m365.json"] = list;
  Need need;
  need.city = true;
  CHECK(parse(files, need).config->city.cloud_endpoints[0].endpoints.empty());
  need.endpoints = true;
  const auto loaded = parse(files, need);
  REQUIRE(loaded.config);
  const auto& lists = loaded.config->city.cloud_endpoints;
  REQUIRE(lists.size() == 2);
  CHECK(lists[0].endpoints.size() == 3);
  CHECK(lists[1].endpoints.size() == 3);
  CHECK(lists[1].endpoints[1].id == 2);
}
