// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/planner/ranges.hpp"
#include "netfilter/planner/switch.hpp"
#include "tests/kernel/netfilter_helpers.hpp"

#include <fmt/format.h>

#include <array>
#include <stdexcept>

using namespace schultor;
using namespace schultor::netfilter;
using namespace schultor::test;

namespace {

const bool isolated = (enter_network_namespace(), true);

const std::vector<planner::Pin> pins{{address("198.51.100.10"), "", std::chrono::hours(24), usual_ports},
                                     {address("2001:db8:51::10"), "", std::chrono::hours(24), {{IPPROTO_TCP, 587, 587}}},
                                     {address("198.51.100.20"), "school", std::chrono::minutes(30)},
                                     {address("2001:db8:51::20"), "exam-day", std::chrono::minutes(30)}};

}  // namespace

TEST_CASE("whatever a stranger does to the table is put right by one transaction, and no pin is lost") {
  const std::string command = GENERATE(
      as<std::string>{}, "add rule inet schultor through_gateway accept",
      "insert rule inet schultor through_gateway ip saddr 10.0.0.1 counter accept",
      "insert rule inet schultor classify ip saddr { 10.0.0.1, 10.0.0.2 } return",
      "insert rule inet schultor classify ip saddr vmap { 10.0.0.1 : accept, 10.0.0.2 : drop }",
      "insert rule inet schultor refuse jump { accept; }", "flush chain inet schultor through_gateway",
      "flush chain inet schultor never", "flush table inet schultor", "add element inet schultor group_stamp { 99 : 99 }",
      "flush map inet schultor group_policy", "delete element inet schultor fresh { 0x00010007 }",
      "add element inet schultor group_policy { * : accept }", "delete element inet schultor device_group { 02:77:00:00:00:01 }",
      "add element inet schultor never4 { 192.0.2.0/24 }", "flush set inet schultor cloud_service4",
      "add element inet schultor cloud_service6 { 2001:db8::/32 . udp . 1-65535 }",
      "add chain inet schultor through_gateway { policy accept; }",
      "add chain inet schultor other { type filter hook forward priority -300; policy accept; }",
      "add chain inet schultor other { type route hook output priority 0; }",
      "add set inet schultor other { type ipv4_addr; flags dynamic; size 128; }",
      "add map inet schultor other { type ipv4_addr : counter; }", "add quota inet schultor other { over 25 mbytes; }",
      "add counter inet schultor other");
  INFO(command);
  auto connection = kernel_with(school());
  must(connection.commit(planner::pin(pins)));
  const auto before = must(connection.read(planner::table_name));
  const auto rules_before = planner::reconcile(planner::build(school()), before);
  REQUIRE(to_string(rules_before) == "");

  run("nft '" + command + "'");
  const auto mending = reconciled(connection, school());
  INFO(to_string(mending));
  CHECK_FALSE(mending.empty());
  CHECK_FALSE(mending.pins_lost);
  must(connection.commit(mending));
  CHECK(to_string(reconciled(connection, school())) == "");
  CHECK(planner::pins_found(must(connection.read(planner::table_name)), school().profiles).size() == pins.size());
}

TEST_CASE("a chain that another verdict leads to is put in its place again") {
  auto connection = kernel_with(school());
  run("nft 'add chain inet schultor other; add element inet schultor group_policy { 77 : goto other }; "
      "insert rule inet schultor refuse jump other; add rule inet schultor other accept'");
  const auto mending = reconciled(connection, school());
  INFO(to_string(mending));
  must(connection.commit(mending));
  CHECK(to_string(reconciled(connection, school())) == "");
}

TEST_CASE("a set of another type and a chain on another hook are made anew") {
  auto connection = fresh_kernel();
  run("nft 'add table inet schultor; add set inet schultor fresh { type ipv4_addr; }; "
      "add map inet schultor group_policy { type ipv4_addr : verdict; }; "
      "add set inet schultor cloud4 { type ipv4_addr; flags timeout; }; "
      "add chain inet schultor through_gateway { type filter hook input priority 5; }; add chain inet schultor profile_school; "
      "add chain inet schultor classify; add element inet schultor group_policy { 10.0.0.1 : goto classify }; "
      "add rule inet schultor profile_school jump classify; "
      "add rule inet schultor through_gateway ip saddr @fresh jump profile_school'");
  const auto mending = reconciled(connection, school());
  INFO(to_string(mending));
  CHECK(mending.pins_lost);
  must(connection.commit(mending));
  CHECK(to_string(reconciled(connection, school())) == "");
}

TEST_CASE("a table put to sleep is made anew, which is said to lose its pins") {
  auto connection = kernel_with(school());
  run("nft 'add table inet schultor { flags dormant; }'");
  const auto mending = reconciled(connection, school());
  CHECK(mending.pins_lost);
  must(connection.commit(mending));
  CHECK(to_string(reconciled(connection, school())) == "");
}

TEST_CASE("a reload that adds, changes and removes profiles and groups keeps the pins of the others") {
  auto connection = kernel_with(school());
  must(connection.commit(planner::pin(pins)));
  planner::Intent changed = school();
  changed.profiles = {{"school", true, 1}, {"evening", true, 3}};
  changed.groups = {{1, "evening", 5, 8}, {2, "school", 1, 2}, {7, "evening", 5, 1}};
  changed.devices[mac("02:77:00:00:00:01")] = 2;
  changed.never.pop_back();
  changed.prefixes = {{prefix("10.78.0.0/25"), 3}, {prefix("10.78.0.128/25"), 1}};
  const auto plan = reconciled(connection, changed);
  INFO(to_string(plan));
  CHECK(plan.pins_lost);  // those of the new profile, which has none yet
  must(connection.commit(plan));
  CHECK(to_string(reconciled(connection, changed)) == "");
  CHECK(planner::pins_found(must(connection.read(planner::table_name)), changed.profiles).size() == 3);
  must(connection.commit(reconciled(connection, school())));
  CHECK(to_string(reconciled(connection, school())) == "");
}

TEST_CASE("what answers on the box's own addresses comes and goes with a reload, and so does who may have TLS end there") {
  auto connection = kernel_with(school());
  must(connection.commit(planner::pin(pins)));
  auto wanted = school();
  const auto apply = [&] {
    const auto plan = reconciled(connection, wanted);
    INFO(to_string(plan));
    CHECK_FALSE(plan.empty());
    CHECK_FALSE(plan.pins_lost);
    must(connection.commit(plan));
    CHECK(to_string(reconciled(connection, wanted)) == "");
  };
  wanted.web = planner::Web{{address("10.77.0.1"), address("fd77::1")}, {1}};
  apply();
  wanted.web->terminating = {2, 3};
  wanted.web->addresses.push_back(address("10.78.0.1"));
  apply();
  wanted.web->terminating.clear();
  apply();
  wanted.web.reset();
  apply();
  CHECK(planner::pins_found(must(connection.read(planner::table_name)), school().profiles).size() == pins.size());
}

TEST_CASE("networks that are cut out of another one are there, and others take their place") {
  auto connection = kernel_with(school());
  planner::Intent changed = school();
  const auto cut = GENERATE(std::string("10.78.0.0/26"), std::string("10.78.0.77"), std::string("10.78.0.255"));
  changed.prefixes = planner::disjoint(
      {{prefix("10.78.0.0/24"), 3}, {prefix(cut.c_str()), 1}, {prefix("fd78::/32"), 2}, {prefix("fd78::/64"), 3}});
  must(connection.commit(reconciled(connection, changed)));
  CHECK(to_string(reconciled(connection, changed)) == "");
  must(connection.commit(reconciled(connection, school())));
  CHECK(to_string(reconciled(connection, school())) == "");
}

TEST_CASE("foreign tables stay as they are") {
  auto connection = fresh_kernel();
  run("nft 'add table inet other; add chain inet other c; add rule inet other c accept; add table ip schultor; "
      "add chain ip schultor c; add set inet other fresh { type ipv4_addr; }'");
  must(connection.commit(reconciled(connection, school())));
  CHECK(to_string(reconciled(connection, school())) == "");
  CHECK(run("nft list table inet other").find("accept") != std::string::npos);
  CHECK(run("nft list table ip schultor").find("chain c") != std::string::npos);
}

TEST_CASE("generations are read back, and pins with the time left to them") {
  auto connection = kernel_with(school());
  must(connection.commit(planner::pin(pins)));
  const auto found = must(connection.read(planner::table_name));
  CHECK(planner::generations(found) == std::map<planner::GroupNumber, planner::Generation>{{1, 7}, {2, 1}, {3, 65535}, {4, 12}});
  const auto kept = planner::pins_found(found, school().profiles);
  REQUIRE(kept.size() == pins.size());
  for (const auto& pin : kept) {
    const auto wanted = std::find_if(pins.begin(), pins.end(), [&](const planner::Pin& own) { return own.address == pin.address; });
    REQUIRE(wanted != pins.end());
    CHECK(pin.profile == wanted->profile);
    CHECK(pin.ports == wanted->ports);
    CHECK(pin.lifetime <= wanted->lifetime);
    CHECK(pin.lifetime > wanted->lifetime - std::chrono::minutes(5));
  }
}

TEST_CASE("of the cloud the ports that are published are open, and no others") {
  auto intent = school();
  intent.cloud_services.clear();
  for (const auto port : std::array<std::uint16_t, 4>{143, 587, 993, 995})
    intent.cloud_services.push_back({prefix("203.0.113.0/24"), IPPROTO_TCP, port, port});
  intent.cloud_services.push_back({prefix("203.0.113.64/26"), IPPROTO_UDP, 3478, 3481});
  intent.cloud_services.push_back({prefix("2001:db8:cafe::/48"), IPPROTO_TCP, 587, 587});
  auto connection = kernel_with(intent);
  must(connection.commit(planner::pin({{address("198.51.100.10"), "", std::chrono::hours(24), {{IPPROTO_TCP, 8443, 8443}}}})));
  const auto is_open = [](const std::string& element) {
    const auto set = element.find("198.51.") == 0             ? "cloud4"
                     : element.find(':') == std::string::npos ? "cloud_service4"
                                                              : "cloud_service6";
    try {
      run(fmt::format("nft 'get element inet schultor {} {{ {} }}'", set, element));
      return true;
    } catch (const std::runtime_error& error) {
      CHECK_THAT(error.what(), Catch::Matchers::Contains("No such file or directory"));
      return false;
    }
  };
  for (const char* element : {"203.0.113.9 . tcp . 143", "203.0.113.255 . tcp . 587", "203.0.113.127 . udp . 3480",
                              "203.0.113.64 . tcp . 995", "2001:db8:cafe::25 . tcp . 587", "198.51.100.10 . tcp . 8443"}) {
    INFO(element);
    CHECK(is_open(element));
  }
  for (const char* element :
       {"203.0.113.9 . tcp . 25", "203.0.112.9 . tcp . 587", "203.0.113.9 . udp . 587", "203.0.113.9 . udp . 3480",
        "203.0.113.127 . udp . 3482", "2001:db8:cafe::25 . tcp . 25", "198.51.100.10 . tcp . 443"}) {
    INFO(element);
    CHECK_FALSE(is_open(element));
  }
}
