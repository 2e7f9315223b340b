// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/address_reach.hpp"
#include "daemon/policy/compile.hpp"
#include "daemon/policy/services.hpp"
#include "tests/catch.hpp"

#include <netinet/in.h>

#include <algorithm>

using namespace schultor;
using namespace schultor::policy;
using base::PortRange;

namespace {

const std::string city =
    "[never]\nbypass = true\n[[profile]]\nname = \"leisure\"\naccess = \"open\"\n[[profile]]\nname = \"school\"\naccess = "
    "\"listed\"\n";
const std::string group = "[[group]]\nname = \"g\"\nprofile = \"school\"\nunknown = true\n";
const std::string box =
    "school = \"a\"\ntimezone = \"Europe/Berlin\"\n[resolver]\naddress = \"127.0.0.1:53\"\n[wan]\ninterface = \"wan0\"\n";
const std::string lan = "[lan]\ninterfaces = [\"lan0\"]\naddresses = [\"10.77.0.1/16\", \"2001:db8:77::1/64\"]\n";

LoadedPolicy loaded(const std::string& of_city, const std::string& of_school = {}, const std::string& of_box = {}) {
  return load(config::Files{box + lan + of_box, of_city, group + of_school, "mac,group\n"}, config::Need::everything());
}

std::vector<std::string> said(const LoadedPolicy& loaded) {
  std::vector<std::string> lines;
  for (const auto& one : loaded.diagnostics) lines.push_back(to_string(one));
  return lines;
}

bool closes(const Policy& policy, const std::string& profile, std::uint8_t protocol, std::uint16_t port) {
  const auto closed = policy.closed_services.find(profile);
  return closed != policy.closed_services.end() &&
         std::any_of(closed->second.begin(), closed->second.end(), [&](const PortRange& range) {
           return range.protocol == protocol && range.first <= port && port <= range.last;
         });
}

bool is_inside(const Policy& policy, std::string_view address) {
  const auto parsed = base::parse_address(address).value();
  return std::any_of(policy.network.inside.begin(), policy.network.inside.end(),
                     [&](const auto& prefix) { return contains(prefix, parsed); });
}

}  // namespace

SCENARIO("tunnels and proxies are closed in listed profiles, and in open ones where the city closes ways round") {
  const auto with = loaded(city);
  REQUIRE(with.policy);
  for (const auto* profile : {"school", "leisure", "exam", "paused"}) {
    CHECK(closes(*with.policy, profile, IPPROTO_UDP, 51820));
    CHECK(closes(*with.policy, profile, IPPROTO_TCP, 1080));
    CHECK_FALSE(closes(*with.policy, profile, IPPROTO_TCP, 443));
  }
  CHECK(std::count(with.policy->never_networks.begin(), with.policy->never_networks.end(), base::parse_prefix("8.8.8.8").value()) ==
        1);
  CHECK(closes(*with.policy, "school", IPPROTO_UDP, 443));
  CHECK(closes(*with.policy, "school", IPPROTO_TCP, 22));
  CHECK_FALSE(closes(*with.policy, "leisure", IPPROTO_UDP, 443));
  CHECK_FALSE(closes(*with.policy, "leisure", IPPROTO_TCP, 22));
  const auto without = loaded(city.substr(city.find("[[profile]]")));
  REQUIRE(without.policy);
  CHECK(closes(*without.policy, "school", IPPROTO_UDP, 51820));
  CHECK_FALSE(without.policy->closed_services.contains("leisure"));
  CHECK(without.policy->never_networks.empty());
}

SCENARIO("a profile opens services by name, a school's none that the city closes") {
  const auto opened = loaded(city + "services = [\"tcp/22\", \"udp/440-450\"]\n");
  REQUIRE(opened.policy);
  CHECK_FALSE(closes(*opened.policy, "school", IPPROTO_TCP, 22));
  CHECK_FALSE(closes(*opened.policy, "school", IPPROTO_UDP, 443));
  CHECK(closes(*opened.policy, "school", IPPROTO_UDP, 80));
  CHECK(closes(*opened.policy, "exam", IPPROTO_TCP, 22));

  const std::string own = "[[profile]]\nname = \"own\"\naccess = \"listed\"\nservices = ";
  CHECK(loaded(city, own + "[\"tcp/22\"]\n").policy.has_value());
  CHECK(said(loaded(city, own + "[\"udp/51000-52000\"]\n")) ==
        std::vector<std::string>{
            "school.toml:8:13: error: services: udp 51000-52000 is closed by the city's [never] bypass = true: only a "
            "profile of the city's opens it"});
  for (const auto* wrong : {"ssh", "tcp/0", "tcp/22-21", "tcp/022", "sctp/22", "tcp/70000", "tcp/", "/22", "", "tcp/ 22", "tcp/22 ",
                            " tcp/22", "udp/1 - 2"})
    CHECK(said(loaded(city, own + "[\"" + wrong + "\"]\n")).size() == 1);
}

SCENARIO("a range of services is cut where a profile opens its middle") {
  const auto opened = loaded(city + "services = [\"udp/500-4500\"]\n");
  REQUIRE(opened.policy);
  for (const auto port : {500, 1194, 1701, 4500})
    CHECK_FALSE(closes(*opened.policy, "school", IPPROTO_UDP, static_cast<std::uint16_t>(port)));
  CHECK(closes(*opened.policy, "school", IPPROTO_TCP, 1194));
}

SCENARIO("the school's own networks and all private ones lie inside, what they become behind a NAT64 too") {
  const auto school = loaded(city);
  REQUIRE(school.policy);
  for (const auto* address :
       {"10.9.9.9", "100.64.0.1", "172.31.255.255", "192.168.178.1", "169.254.169.254", "127.0.0.1", "224.0.0.251",
        "255.255.255.255", "10.77.3.4", "2001:db8:77::9", "fd00::1", "fe80::1", "ff02::1", "::1", "::ffff:8.8.8.8",
        "2002:0a00:0001::1", "2001:0:1::1", "64:ff9b::10.0.0.1", "64:ff9b::192.168.1.1"})
    CHECK(is_inside(*school.policy, address));
  for (const auto* address : {"9.255.255.255", "11.0.0.0", "172.32.0.0", "198.51.100.20", "203.0.113.10", "2001:db8:51::20",
                              "2a00::1", "64:ff9b::8.8.8.8"})
    CHECK_FALSE(is_inside(*school.policy, address));
}

SCENARIO("gateway.toml says what lies inside and is reachable, who manages the box, and whether addresses are translated") {
  const auto plain = loaded(city);
  REQUIRE(plain.policy);
  CHECK(plain.policy->network.masquerade);
  CHECK(plain.policy->network.offload);
  CHECK(plain.policy->network.management.empty());
  const auto said_all =
      load(config::Files{box + "masquerade = false\n" + lan +
                             "offload = false\nreachable = [\"192.168.5.0/24\"]\n[management]\nprefixes = [\"10.9.0.0/24\"]\n",
                         city, group, "mac,group\n"},
           config::Need::everything());
  REQUIRE(said_all.policy);
  const auto& network = said_all.policy->network;
  CHECK_FALSE(network.masquerade);
  CHECK_FALSE(network.offload);
  CHECK(network.reachable == std::vector{base::parse_prefix("192.168.5.0/24").value()});
  CHECK(network.management_ports == std::vector<std::uint16_t>{22});
  CHECK(loaded(city, {}, "[management]\nprefixes = [\"fd09::/64\"]\nports = [22, 8443]\n").policy->network.management_ports ==
        std::vector<std::uint16_t>{22, 8443});
  for (const auto* nobody : {"", "[management]\nprefixes = []\n", "[management]\nprefixes = []\nports = [22]\n"})
    CHECK(loaded(city, {}, nobody).policy->network == plain.policy->network);
  for (const auto* wrong : {"[management]\nports = [22]\n", "[management]\nprefixes = [\"10.9.0.1/24\"]\n",
                            "[management]\nprefixes = [\"10.9.0.0/24\"]\nports = [0]\n",
                            "[management]\nprefixes = [\"10.9.0.0/24\"]\nports = [\"ssh\"]\n",
                            "[management]\nprefixes = [\"10.9.0.0/24\"]\nports = 22\n", "[management]\nfrom = []\n"})
    CHECK_FALSE(said(loaded(city, {}, wrong)).empty());
}

SCENARIO("networks that nobody sends from, and all there are, are none of a group's") {
  const auto of_group = [](const std::string& network) {
    return said(loaded(city, "[[group]]\nname = \"b\"\nprofile = \"school\"\nprefixes = [\"" + network + "\"]\n"));
  };
  for (const auto* network :
       {"0.0.0.0", "0.0.0.0/8", "127.0.0.1", "224.0.0.0/4", "255.255.255.255", "::", "::1", "::ffff:10.77.0.0/112", "ff02::/16"}) {
    CHECK(of_group(network).size() == 1);
    CHECK(said(loaded(city, {}, "[management]\nprefixes = [\"" + std::string(network) + "\"]\n")).size() == 1);
    CHECK(said(loaded(city, {}, "reachable = [\"" + std::string(network) + "\"]\n")).size() == 1);
  }
  CHECK(of_group("0.0.0.0/0").size() == 1);
  CHECK(of_group("::/0").size() == 1);
  CHECK(of_group("fe80::/64").empty());
  CHECK(of_group("10.78.0.0/24").empty());
}

SCENARIO("reachable networks are bounded by number") {
  const auto reachable = [](int count) {
    std::string networks;
    for (int i = 0; i < count; ++i) networks += fmt::format("\"192.168.{}.0/24\", ", i);
    return said(loaded(city, {}, "reachable = [" + networks + "]\n"));
  };
  CHECK(reachable(64).empty());
  CHECK(reachable(65).size() == 1);
}
