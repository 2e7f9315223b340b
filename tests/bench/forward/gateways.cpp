// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/forward/gateways.hpp"

#include "netfilter/planner/belt.hpp"
#include "netfilter/planner/build.hpp"
#include "netfilter/planner/reconcile.hpp"
#include "netfilter/planner/switch.hpp"
#include "tests/bench/lib/measuring.hpp"
#include "tests/kernel/netfilter_examples.hpp"
#include "tests/kernel/network_namespace.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace schultor::bench {
namespace {

using namespace netfilter;

constexpr std::size_t groups = 100;
/// Of the school's one host, which all devices are reached by. It is device 0.
constexpr std::string_view school4 = "10.77.0.2";

void lay_routes(const ThreeHosts& hosts) {
  hosts.school.ip(fmt::format("link set eth0 address {}\naddr add {}/16 dev eth0\nroute add default via {}\n",
                              base::to_string(mac_of_device(0)), school4, gateway4));
  hosts.gateway.ip(fmt::format("route add 10.77.64.0/18 via {} dev lan0 onlink\n", school4));
  hosts.internet.ip("route add local 198.18.0.0/15 dev lo\n");
}

/// The least of a gateway: there is nothing that judges a packet.
void load_masquerading(Gateway& gateway) {
  const test::TemporaryFile rules(R"(table inet empty {
  chain translate {
    type nat hook postrouting priority srcnat; policy accept;
    meta nfproto ipv4 oifname "wan0" masquerade
  }
}
)");
  gateway.hosts.gateway.run("nft -f " + rules.path());
}

void load_schultor(Gateway& gateway) {
  const Host::Inside inside(gateway.hosts.gateway);
  auto connection = must(kernel::Connection::open());
  const auto intent = test::large_school(groups, devices);
  auto ruleset = planner::build(intent);
  planner::begin_with(ruleset, test::many_pins(pins));
  must(connection.commit(planner::reconcile(ruleset, must(connection.read(planner::table_name)))));
  must(connection.commit(planner::belt(intent.lan_interfaces, intent.masqueraded)));
  gateway.owner = std::move(connection);
}

/// As fast as iptables can be at it: the set of devices leads to the profile's mark at once, where a switch rewrites an element for
/// each device of the group; and what the server says is never judged again.
void load_iptables(Gateway& gateway) {
  std::string sets =
      "create devices bitmap:ip,mac range 10.77.0.0/16 skbinfo\ncreate never hash:net\n"
      "create school hash:ip maxelem 200000 timeout 3600\ncreate cloud hash:ip,port maxelem 200000 timeout 3600\n";
  for (std::size_t i = 0; i < devices; ++i)
    sets +=
        fmt::format("add devices {},{} skbmark 0x1\n", base::to_string(address_of_device(i)), base::to_string(mac_of_device(i)));
  sets += fmt::format("add devices {},{} skbmark 0x1\n", school4, base::to_string(mac_of_device(0)));
  for (const auto* network : {"10.0.0.0/8", "11.0.0.0/8", "198.51.100.53"}) sets += fmt::format("add never {}\n", network);
  for (std::size_t i = 0; i < pins; ++i) {
    const auto address = base::to_string(address_of_pin(i));
    if (i % 2 == 0) sets += fmt::format("add school {}\n", address);
    else
      for (const auto* service : {"tcp:80", "tcp:443", "udp:443"}) sets += fmt::format("add cloud {},{}\n", address, service);
  }
  const test::TemporaryFile set_file(sets);
  gateway.hosts.gateway.run("ipset restore < " + set_file.path());
  const test::TemporaryFile rules(R"(*mangle
-A PREROUTING -i lan0 -j SET --map-set devices src,src --map-mark
COMMIT
*nat
-A POSTROUTING -o wan0 -j MASQUERADE
COMMIT
*filter
:FORWARD DROP
:school -
:leisure -
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -i wan0 -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A FORWARD ! -i lan0 -j DROP
-A FORWARD -m set --match-set cloud dst,dst -j ACCEPT
-A FORWARD -m mark --mark 1 -g school
-A FORWARD -m mark --mark 2 -g leisure
-A FORWARD -j REJECT
-A school -m set --match-set never dst -j REJECT
-A school -m set --match-set school dst -j ACCEPT
-A school -j REJECT
-A leisure -m set --match-set never dst -j REJECT
-A leisure -j ACCEPT
COMMIT
)");
  gateway.hosts.gateway.run("iptables-legacy-restore < " + rules.path());
}

}  // namespace

base::Mac mac_of_device(std::size_t device) {
  base::Mac mac;
  // As in test::large_school().
  mac.octets = {2,
                0x77,
                0,
                static_cast<std::uint8_t>(device >> 16),
                static_cast<std::uint8_t>(device >> 8),
                static_cast<std::uint8_t>(device)};
  return mac;
}

base::Address address_of_device(std::size_t device) {
  const std::array<std::uint8_t, 4> octets{10, 77, static_cast<std::uint8_t>(64 + (device >> 8)),
                                           static_cast<std::uint8_t>(device)};
  return base::address_from_bytes(octets);
}

base::Address address_of_pin(std::size_t pin) { return test::address_of_pin(pin); }

std::vector<Gateway> make_gateways(bool peers) {
  std::vector<Gateway> gateways;
  const auto add = [&](std::string name, bool filters, bool masquerades, const std::function<void(Gateway&)>& load) {
    auto& made = gateways.emplace_back(Gateway{std::move(name), filters, masquerades});
    lay_routes(made.hosts);
    load(made);
  };
  add("router, tracks nothing", false, false, [](Gateway&) {});
  add("empty ruleset", false, true, load_masquerading);
  add("schultor", true, true, load_schultor);
  if (peers) add("iptables and ipset", true, true, load_iptables);
  return gateways;
}

}  // namespace schultor::bench
