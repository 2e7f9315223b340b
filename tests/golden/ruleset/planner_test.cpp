// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/catch.hpp"

#include "netfilter/planner/belt.hpp"
#include "netfilter/planner/build.hpp"
#include "netfilter/planner/differences.hpp"
#include "netfilter/planner/ranges.hpp"
#include "netfilter/planner/reconcile.hpp"
#include "netfilter/planner/switch.hpp"
#include "tests/kernel/netfilter_examples.hpp"

#include <functional>

using namespace schultor;
using namespace schultor::netfilter;
using namespace schultor::netfilter::planner;
using schultor::test::address;
using schultor::test::prefix;
using schultor::test::school;

namespace {

/// What a kernel holds after it was given the ruleset.
model::Found held(const model::Ruleset& ruleset) {
  model::Found found{true};
  for (const auto& set : ruleset.sets) found.sets.push_back({set.declaration, false, set.elements});
  for (const auto& counter : ruleset.counters) found.objects.push_back({counter, 1});
  for (const auto& flowtable : ruleset.flowtables) found.flowtables.push_back({flowtable});
  for (const auto& chain : ruleset.chains) {
    found.chains.push_back({chain.name, chain.hook});
    for (const auto& rule : chain.rules) found.chains.back().rules.push_back(lower(rule));
  }
  return found;
}

std::string texts(const std::vector<model::Element>& elements) {
  std::string text;
  for (const auto& element : elements) text += to_string(element) + "\n";
  return text;
}

}  // namespace

TEST_CASE("of networks that lie in one another the longest that holds an address is what is left there") {
  const std::map<base::Prefix, GroupNumber> nested{
      {prefix("10.0.0.0/8"), 1},     {prefix("10.78.0.0/16"), 2}, {prefix("10.78.0.0/24"), 3},    {prefix("10.78.0.7"), 1},
      {prefix("10.78.255.0/24"), 3}, {prefix("fd77::/16"), 1},    {prefix("fd77:0:0:78::/64"), 2}};
  const auto left = disjoint(nested);
  const auto group_of = [](const auto& networks, const base::Address& address) {
    std::vector<std::pair<std::uint8_t, GroupNumber>> found;
    for (const auto& [network, group] : networks)
      if (network.address.family == address.family && contains(network, address)) found.emplace_back(network.length, group);
    std::sort(found.rbegin(), found.rend());
    return found;
  };
  for (const auto* text :
       {"10.0.0.0",      "10.77.255.255", "10.78.0.0",   "10.78.0.6",          "10.78.0.7",     "10.78.0.8",
        "10.78.1.0",     "10.78.254.255", "10.78.255.0", "10.78.255.255",      "10.79.0.0",     "10.255.255.255",
        "9.255.255.255", "11.0.0.0",      "fd77::",      "fd77:0:0:77:ffff::", "fd77:0:0:78::", "fd77:0:0:78:ffff:ffff:ffff:ffff",
        "fd77:0:0:79::", "fd78::"}) {
    CAPTURE(text);
    const auto address = base::parse_address(text).value();
    const auto wanted = group_of(nested, address);
    const auto found = group_of(left, address);
    REQUIRE(found.size() == (wanted.empty() ? 0 : 1));
    if (!found.empty()) CHECK(found[0].second == wanted[0].second);
  }
  CHECK(left.size() < 100);
  CHECK(disjoint(left) == left);
  CHECK(disjoint({{prefix("0.0.0.0/0"), 1}, {prefix("0.0.0.0/1"), 2}, {prefix("128.0.0.0/1"), 3}}).size() == 2);
}

TEST_CASE("generations never become 0, which is never in force") {
  CHECK(next(1) == 2);
  CHECK(next(65534) == 65535);
  CHECK(next(65535) == 1);
  CHECK(next(0) == 1);
}

TEST_CASE("what the kernel holds already needs no plan") { CHECK(reconcile(build(school()), held(build(school()))).empty()); }

TEST_CASE("a mode switch is the group's elements and nothing else") {
  const Group before{1, "leisure", 2, 7};
  const Group after{1, "school", 1, 8};
  CHECK(to_string(switch_groups({{before, after}})) ==
        "delete element inet schultor group_policy { 0x00000001 : goto profile_leisure }\n"
        "delete element inet schultor group_stamp { 0x00000001 : 0x00010007 }\n"
        "delete element inet schultor group_view { 0x00000001 : 0x00000002 }\n"
        "delete element inet schultor fresh_pair { 0x00000001 . 0x00010007 }\n"
        "delete element inet schultor fresh { 0x00010007 }\n"
        "add element inet schultor group_policy { 0x00000001 : goto profile_school }\n"
        "add element inet schultor group_stamp { 0x00000001 : 0x00010008 }\n"
        "add element inet schultor group_view { 0x00000001 : 0x00000001 }\n"
        "add element inet schultor fresh_pair { 0x00000001 . 0x00010008 }\n"
        "add element inet schultor fresh { 0x00010008 }\n");
}

TEST_CASE("the belt is on the way of a flow's first packet alone") {
  const auto plan = belt({"lan1", "lan0", "lan1"}, {"wan0"});
  for (const auto& operation : plan.operations)
    if (const auto* chain = std::get_if<operation::AddChain>(&operation)) {
      REQUIRE(chain->hook);
      CHECK(chain->hook->type == model::Hook::Type::nat);
    }
  CHECK(to_string(plan) ==
        "add table inet schultor_belt { flags owner }\n"
        "delete table inet schultor_belt\n"
        "add table inet schultor_belt { flags owner }\n"
        "add set inet schultor_belt lan\n"
        "add element inet schultor_belt lan { \"lan0\", \"lan1\" }\n"
        "add set inet schultor_belt masqueraded\n"
        "add element inet schultor_belt masqueraded { \"wan0\" }\n"
        "add chain inet schultor_belt first_packets\n"
        "add rule inet schultor_belt first_packets ct mark 0x00000000 iifname @lan meta l4proto != 2 drop\n"
        "add rule inet schultor_belt first_packets meta nfproto ipv4 oifname @masqueraded masquerade\n");
}

TEST_CASE("another table of lists is elements and nothing else") {
  auto intent = school();
  const auto found = held(build(intent));
  intent.profiles[0].blocked = {prefix("192.0.2.0/24"), prefix("203.0.113.9")};
  intent.profiles[1].blocked = {prefix("2001:db8:51::/48")};
  intent.never.pop_back();
  CHECK(to_string(reconcile(build(intent), found)) ==
        "flush set inet schultor block_school4\n"
        "flush set inet schultor block_school6\n"
        "flush set inet schultor block_leisure6\n"
        "flush set inet schultor never6\n"
        "add element inet schultor block_school4 { 192.0.2.0/24, 203.0.113.9 }\n"
        "add element inet schultor block_leisure6 { 2001:db8:51::/48 }\n"
        "add element inet schultor never6 { 2001:db8:51::53, fc00::/7 }\n");
}

TEST_CASE("interfaces come to the flowtable and leave it, and nothing else is touched") {
  auto intent = school();
  intent.offloaded = {"lan0", "wlan0"};
  const auto found = held(build(intent));
  CHECK(reconcile(build(intent), found).empty());
  intent.offloaded = {"wan0", "lan0"};
  CHECK(to_string(reconcile(build(intent), found)) ==
        "delete flowtable inet schultor cloud_flows { devices = { wlan0 } }\n"
        "add flowtable inet schultor cloud_flows { devices = { wan0 } }\n");
  CHECK(differences(build(intent), found) ==
        std::vector<std::string>{"flowtable cloud_flows lacks interface wan0",
                                 "flowtable cloud_flows has interface wlan0, which is not ours"});
}

TEST_CASE("the flowtable comes before the rule that names it, and goes after it") {
  auto intent = school();
  const auto without = held(build(intent));
  intent.offloaded = {"lan0"};
  const auto with = held(build(intent));
  const auto position = [](const std::string& plan, const std::string& part) {
    INFO(plan);
    const auto at = plan.find(part);
    REQUIRE(at != std::string::npos);
    return at;
  };
  const auto coming = to_string(reconcile(build(intent), without));
  CHECK(position(coming, "add flowtable inet schultor cloud_flows { devices = { lan0 } }\n") <
        position(coming, "add rule inet schultor through_gateway ct mark 0xffff0000 ct state established flow add @cloud_flows\n"));
  const auto going = to_string(reconcile(build(school()), with));
  CHECK(position(going, "flush chain inet schultor through_gateway\n") <
        position(going, "delete flowtable inet schultor cloud_flows\n"));
  CHECK(going.find("add flowtable") == std::string::npos);
  // One with another priority, or of a kind that is never asked for, is made anew; a stranger's goes.
  for (const auto& change :
       std::vector<std::function<void(model::Found&)>>{[](auto& found) { found.flowtables[0].flowtable.priority = 1; },
                                                       [](auto& found) { found.flowtables[0].foreign = true; }}) {
    auto found = with;
    change(found);
    const auto anew = to_string(reconcile(build(intent), found));
    CHECK(position(anew, "delete flowtable inet schultor cloud_flows\n") <
          position(anew, "add flowtable inet schultor cloud_flows { devices = { lan0 } }\n"));
    CHECK(differences(build(intent), found) == std::vector<std::string>{"flowtable cloud_flows is declared otherwise"});
  }
  auto found = with;
  found.flowtables.push_back({{"strange"}});
  CHECK(position(to_string(reconcile(build(intent), found)), "delete flowtable inet schultor strange\n") != 0);
  CHECK(differences(build(intent), found) == std::vector<std::string>{"flowtable strange is not ours"});
  const std::string lacks = " lacks the rule: ct mark 0xffff0000 ct state established flow add @cloud_flows";
  CHECK(differences(build(intent), without) ==
        std::vector<std::string>{"flowtable cloud_flows is missing", "chain through_gateway" + lacks, "chain outbound" + lacks});
}

TEST_CASE("a switch deletes nothing but what is held, and leaves what it would delete and add as it was") {
  const Group before{1, "school", 1, 7};
  const Group after{1, "school", 1, 8};
  const std::string plan = to_string(switch_groups({{before, after}}));
  CHECK(plan.find("group_policy") == std::string::npos);
  CHECK(plan.find("group_view") == std::string::npos);
  CHECK(plan.find("delete element inet schultor group_stamp { 0x00000001 : 0x00010007 }") != std::string::npos);
  CHECK(to_string(switch_groups({{{}, after}})).find("delete") == std::string::npos);
  CHECK(switch_groups({{after, after}}).empty());
}

TEST_CASE("a switch brings the kernel exactly where a rebuilt ruleset would be") {
  auto intent = school();
  auto found = held(build(intent));
  const Group before = intent.groups[1];
  intent.groups[1] = {2, "exam-day", 9, 2};
  for (const auto& operation : switch_groups({{before, intent.groups[1]}}).operations) {
    const auto change = [&](const model::SetDeclaration& set, const std::vector<model::Element>& elements, bool adds) {
      for (auto& own : found.sets) {
        if (own.declaration != set) continue;
        for (const auto& element : elements) {
          const auto at = std::find(own.elements.begin(), own.elements.end(), element);
          REQUIRE((at == own.elements.end()) == adds);
          if (adds) own.elements.push_back(element);
          else own.elements.erase(at);
        }
        std::sort(own.elements.begin(), own.elements.end());
      }
    };
    if (const auto* add = std::get_if<operation::AddElements>(&operation)) change(add->set, add->elements, true);
    if (const auto* remove = std::get_if<operation::DeleteElements>(&operation)) change(remove->set, remove->elements, false);
  }
  CHECK(to_string(reconcile(build(intent), found)) == "");
}

TEST_CASE("a cloud address is pinned on each of its ports, a listed one whole, and twice asked means once with the longer life") {
  const auto minute = std::chrono::seconds(60);
  CHECK(to_string(pin({{address("192.0.2.1"), "", minute, schultor::test::usual_ports},
                       {address("fd00::1"), "school", minute},
                       {address("192.0.2.2"), "school", minute},
                       {address("192.0.2.2"), "school", 2 * minute},
                       {address("192.0.2.2"), "school", std::chrono::seconds(-5)}})) ==
        "pin element inet schultor allow_school4 { 192.0.2.2 timeout 120s }\n"
        "pin element inet schultor allow_school6 { fd00::1 timeout 60s }\n"
        "pin element inet schultor cloud4 { 192.0.2.1 . tcp . 80 timeout 60s, 192.0.2.1 . tcp . 443 timeout 60s, "
        "192.0.2.1 . udp . 443 timeout 60s }\n");
  // A range is its ports, and what two names of one address ask for is asked for once.
  CHECK(to_string(pin({{address("192.0.2.1"), "", minute, {{6, 143, 143}, {6, 587, 587}, {17, 3478, 3481}}},
                       {address("192.0.2.1"), "", 2 * minute, {{6, 443, 443}, {6, 587, 587}}},
                       {address("2001:db8::1"), "", minute, {{6, 65534, 65535}}}})) ==
        "pin element inet schultor cloud4 { 192.0.2.1 . tcp . 143 timeout 60s, 192.0.2.1 . tcp . 443 timeout 120s, "
        "192.0.2.1 . tcp . 587 timeout 120s, 192.0.2.1 . udp . 3478 timeout 60s, 192.0.2.1 . udp . 3479 timeout 60s, "
        "192.0.2.1 . udp . 3480 timeout 60s, 192.0.2.1 . udp . 3481 timeout 60s }\n"
        "pin element inet schultor cloud6 { 2001:db8::1 . tcp . 65534 timeout 60s, 2001:db8::1 . tcp . 65535 timeout 60s }\n");
  // No life at all would be a pin for good.
  CHECK(to_string(pin({{address("192.0.2.2"), "school", std::chrono::seconds(0)}})).find("timeout 1s") != std::string::npos);
}

TEST_CASE("pins are found with the ports that they are open on, and by their shortest life") {
  auto found = held(build(school()));
  const auto hold = [&](const char* name, model::Key key, std::chrono::seconds left) {
    for (auto& set : found.sets)
      if (set.declaration.name == name) set.elements.push_back({std::move(key), {}, {}, left});
  };
  const auto cloud = [](std::uint8_t protocol, std::uint16_t port) {
    return model::Key{address("192.0.2.1"), model::Protocol{protocol}, model::Port{port}};
  };
  using std::chrono::seconds;
  hold("cloud4", cloud(6, 443), seconds(90));
  hold("cloud4", cloud(6, 80), seconds(60));
  hold("cloud4", cloud(17, 3479), seconds(70));
  hold("cloud4", cloud(17, 3478), seconds(70));
  hold("allow_school4", {address("192.0.2.1")}, seconds(30));
  CHECK(pins_found(found, school().profiles) ==
        std::vector<Pin>{{address("192.0.2.1"), "", seconds(60), {{6, 80, 80}, {6, 443, 443}, {17, 3478, 3479}}},
                         {address("192.0.2.1"), "school", seconds(30)}});
  // A cloud pin without a port would open nothing.
  CHECK(pin({{address("192.0.2.1"), "", seconds(60)}}).empty());
}

TEST_CASE("ranges that overlap or touch become one") {
  CHECK(texts(merged_ranges({prefix("10.0.0.0/9"), prefix("10.128.0.0/9"), prefix("10.3.0.0/16"), prefix("192.0.2.7"),
                             prefix("fd00::/8"), prefix("255.255.255.255"), prefix("255.255.255.254")},
                            base::Family::ipv4)) == "10.0.0.0/8\n192.0.2.7\n255.255.255.254/31\n");
  CHECK(texts(merged_ranges({prefix("::/0"), prefix("fd00::/8")}, base::Family::ipv6)) == "::/0\n");
  CHECK(texts(merged_ranges({prefix("192.0.2.0/24"), prefix("192.0.3.0/25")}, base::Family::ipv4)) == "192.0.2.0-192.0.3.127\n");
}

TEST_CASE("of networks inside, what is reachable is cut out, up to the ends of the address space") {
  const auto rest = [](const char* of, std::vector<base::Prefix> without) {
    const auto whole = prefix(of);
    return texts(remaining_ranges({whole}, without, whole.address.family));
  };
  CHECK(rest("10.0.0.0/8", {}) == "10.0.0.0/8\n");
  CHECK(rest("10.0.0.0/8", {prefix("10.0.0.0/9")}) == "10.128.0.0/9\n");
  CHECK(rest("10.0.0.0/8", {prefix("10.255.255.255")}) == "10.0.0.0-10.255.255.254\n");
  CHECK(rest("10.0.0.0/30", {prefix("10.0.0.1")}) == "10.0.0.0\n10.0.0.2/31\n");
  CHECK(rest("10.0.0.0/24", {prefix("10.0.0.0/8")}).empty());
  CHECK(rest("10.0.0.0/24", {prefix("11.0.0.0/8"), prefix("9.0.0.0/8"), prefix("fd00::/8")}) == "10.0.0.0/24\n");
  CHECK(rest("0.0.0.0/0", {prefix("0.0.0.0/8"), prefix("255.0.0.0/8")}) == "1.0.0.0-254.255.255.255\n");
  CHECK(rest("::/0", {prefix("::/1"), prefix("8000::/1")}).empty());
  CHECK(rest("fc00::/7", {prefix("fd00::/8")}) == "fc00::/8\n");
}

TEST_CASE("published services that overlap are cut so that no two do, and open neither more nor less") {
  const std::vector<Service> services{{prefix("203.0.113.0/28"), 6, 80, 90},   {prefix("203.0.113.8/29"), 6, 85, 443},
                                      {prefix("203.0.113.4/30"), 6, 443, 443}, {prefix("203.0.113.0/28"), 17, 85, 85},
                                      {prefix("203.0.113.0/28"), 6, 91, 80},   {prefix("203.0.113.12/30"), 6, 60000, 65535}};
  const auto elements = service_ranges(services, base::Family::ipv4);
  for (unsigned host = 0; host < 16; ++host) {
    for (const std::uint8_t protocol : {std::uint8_t{6}, std::uint8_t{17}}) {
      for (const unsigned port : {79U, 80U, 84U, 85U, 90U, 91U, 442U, 443U, 444U, 59999U, 60000U, 65535U}) {
        auto at = address("203.0.113.0");
        at.octets[3] = static_cast<std::uint8_t>(host);
        const bool is_wanted = std::any_of(services.begin(), services.end(), [&](const Service& own) {
          return own.protocol == protocol && own.first_port <= port && port <= own.last_port && base::contains(own.prefix, at);
        });
        const auto count = std::count_if(elements.begin(), elements.end(), [&](const model::Element& element) {
          const auto& last = element.last.empty() ? element.key : element.last;
          return std::get<base::Address>(element.key[0]) <= at && at <= std::get<base::Address>(last[0]) &&
                 std::get<model::Protocol>(element.key[1]).number == protocol &&
                 std::get<model::Port>(element.key[2]).number <= port && port <= std::get<model::Port>(last[2]).number;
        });
        CAPTURE(host, protocol, port);
        CHECK(count == (is_wanted ? 1 : 0));
      }
    }
  }
}

TEST_CASE("a changed chain is refilled whole, and the others stay") {
  const auto wanted = build(school());
  auto found = held(wanted);
  for (auto& chain : found.chains)
    if (chain.name == "refuse") chain.rules.pop_back();
  CHECK(to_string(reconcile(wanted, found)) ==
        "flush chain inet schultor refuse\n"
        "add rule inet schultor refuse meta l4proto != tcp ct direction original ct mark set 0x00000000\n"
        "add rule inet schultor refuse ct direction original jump limit_addresses\n"
        "add rule inet schultor refuse ct direction original meta l4proto tcp jump limit_resets\n"
        "add rule inet schultor refuse meta l4proto tcp reject with tcp reset\n"
        "add rule inet schultor refuse ct direction original jump limit_errors\n"
        "add rule inet schultor refuse reject with icmpx admin-prohibited\n");
}

TEST_CASE("pins are no business of a reconciliation, as long as their set stays") {
  const auto wanted = build(school());
  auto found = held(wanted);
  for (auto& set : found.sets)
    if (set.declaration.timeout) set.elements.push_back({{address("192.0.2.1")}, {}, {}, std::chrono::seconds(60)});
  CHECK(reconcile(wanted, found).empty());
  for (auto& set : found.sets)
    if (set.declaration.name == "allow_school4") set.foreign = true;
  CHECK(reconcile(wanted, found).pins_lost);
}

TEST_CASE("a group whose profile does not exist is left out, hence refused") {
  auto intent = school();
  intent.groups[0].profile = "no-such";
  for (const auto& set : build(intent).sets)
    if (set.declaration.name == "group_stamp") CHECK(set.elements.size() == intent.groups.size() - 1);
}

TEST_CASE("generations of elements that are not ours are not read back") {
  auto found = held(build(school()));
  for (auto& set : found.sets) {
    if (set.declaration.name != "group_stamp") continue;
    set.elements.push_back({{model::Mark{77}}, {}, model::Mark{0x00010009}});
    set.elements.push_back({{}, {}, model::Mark{0x00010009}});
  }
  CHECK(generations(found) == std::map<GroupNumber, Generation>{{1, 7}, {2, 1}, {3, 65535}, {4, 12}});
  CHECK(generations({}).empty());
}
