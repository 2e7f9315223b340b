// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// On kernels with flowtables connections to the cloud pass the rules by, on others nothing is asked for. What this kernel is, nft
// says as well.
#include "netfilter/planner/differences.hpp"
#include "netfilter/planner/switch.hpp"
#include "tests/kernel/netfilter_helpers.hpp"
#include "tests/kernel/offload_school.hpp"

using namespace schultor;
using namespace schultor::netfilter;
using namespace schultor::test;

namespace {

const bool isolated = (enter_network_namespace(), true);

bool nft_has_flowtables() {
  enter_network_namespace();
  run("nft add table inet other");
  try {
    run("nft 'add flowtable inet other f { hook ingress priority 0; }'");
  } catch (const std::runtime_error&) {
    return false;
  }
  return true;
}

const bool has_flowtables = nft_has_flowtables();

planner::Intent offloading(std::vector<std::string> devices) {
  auto intent = school();
  intent.offloaded = std::move(devices);
  return intent;
}

/// A kernel that was probed, with interfaces lan0 and wan0.
kernel::Connection probed_kernel() {
  auto connection = fresh_kernel();
  must(connection.probe_flowtables());
  run("ip link add lan0 type veth peer name wan0");
  return connection;
}

std::vector<std::string> different(kernel::Connection& connection, const planner::Intent& intent) {
  return planner::differences(planner::build(intent), must(connection.read(planner::table_name)));
}

}  // namespace

TEST_CASE("the probe says what nft says, each time, and leaves nothing behind") {
  auto connection = fresh_kernel();
  const auto before = must(connection.generation());
  CHECK(must(connection.probe_flowtables()) == has_flowtables);
  CHECK(must(connection.probe_flowtables()) == has_flowtables);
  CHECK(run("nft list ruleset").empty());
  // What was refused has changed nothing; what was taken is gone.
  CHECK(must(connection.generation()) == before + (has_flowtables ? 2 : 0));
}

TEST_CASE("a kernel without flowtables holds the ruleset that names none, and takes no other") {
  auto connection = probed_kernel();
  const auto plan = reconciled(connection, offloading({"lan0", "wan0"}));
  CHECK(connection.commit(plan).has_value() == has_flowtables);
  if (has_flowtables) return;
  CHECK_FALSE(must(connection.read(planner::table_name)).exists);
  must(connection.commit(reconciled(connection, school())));
  CHECK(listed().find("flow") == std::string::npos);
  CHECK(different(connection, school()).empty());
}

TEST_CASE("where there are flowtables, they are listed as nft lists them, and need no change") {
  if (!has_flowtables) return;
  const auto intent = offloading({"wan0", "lan0"});
  const TemporaryFile text(model::render(planner::build(intent)));
  auto connection = probed_kernel();
  run("nft -f " + text.path());
  CHECK(to_string(reconciled(connection, intent)) == "");
  const auto by_nft = listed_json();
  must(connection.commit(planner::Plan{std::string(planner::table_name), {planner::operation::DeleteTable{}}}));
  must(connection.commit(reconciled(connection, intent)));
  CHECK(listed_json() == by_nft);
  CHECK(to_string(reconciled(connection, intent)) == "");
}

TEST_CASE("devices come to a flowtable and leave it, and what others do to it is found and put right") {
  if (!has_flowtables) return;
  auto connection = probed_kernel();
  must(connection.commit(reconciled(connection, offloading({"lan0"}))));
  CHECK(to_string(reconciled(connection, offloading({"lan0", "wan0"}))) ==
        "add flowtable inet schultor cloud_flows { devices = { wan0 } }\n");
  must(connection.commit(reconciled(connection, offloading({"lan0", "wan0"}))));
  CHECK(different(connection, offloading({"lan0", "wan0"})).empty());
  CHECK(to_string(reconciled(connection, offloading({"wan0"}))) ==
        "delete flowtable inet schultor cloud_flows { devices = { lan0 } }\n");
  must(connection.commit(reconciled(connection, offloading({"wan0"}))));
  CHECK(different(connection, offloading({"wan0"})).empty());

  run("nft 'add flowtable inet schultor cloud_flows { hook ingress priority 0; devices = { lan0 }; }'");
  run("nft 'add flowtable inet schultor strange { hook ingress priority 5; devices = { lo }; }'");
  run("nft add rule inet schultor through_gateway flow add @strange");
  CHECK(different(connection, offloading({"wan0"})) ==
        std::vector<std::string>{"flowtable cloud_flows has interface lan0, which is not ours",
                                 "chain through_gateway has a rule that is not ours", "flowtable strange is not ours"});
  must(connection.commit(reconciled(connection, offloading({"wan0"}))));
  CHECK(different(connection, offloading({"wan0"})).empty());
  // And it goes altogether.
  must(connection.commit(reconciled(connection, school())));
  CHECK(different(connection, school()).empty());
  CHECK(run("nft list flowtables").find("cloud_flows") == std::string::npos);
}

SCENARIO("where there are no flowtables, the rules see each packet of the cloud's") {
  if (has_flowtables) return;
  OffloadSchool town;
  auto connection = must(kernel::Connection::open());
  auto intent = town.intent();
  intent.offloaded.clear();
  must(connection.commit(reconciled(connection, intent)));
  must(connection.commit(planner::pin(town.pins())));
  auto cloud = town.connect(town.cloud, town.port);
  const auto before = town.forwarded_by_rules();
  town.talk(cloud, 100);
  CHECK(town.forwarded_by_rules() - before >= 200);
}

SCENARIO("a connection to the cloud passes the rules by, one that is judged does not") {
  if (!has_flowtables) return;
  OffloadSchool town;
  auto connection = must(kernel::Connection::open());
  must(connection.probe_flowtables());
  must(connection.commit(reconciled(connection, town.intent())));
  must(connection.commit(planner::pin(town.pins())));

  SECTION("over TCP, with the address translated, for as long as it is open") {
    auto cloud = town.connect(town.cloud, town.port);
    auto listed_one = town.connect(town.listed, town.port);
    town.talk(cloud, 5);
    town.talk(listed_one, 5);
    CHECK(town.is_offloaded(town.cloud));
    CHECK_FALSE(town.is_offloaded(town.listed));
    const auto before = town.forwarded_by_rules();
    town.talk(cloud, 500);
    const auto past = town.forwarded_by_rules() - before;
    CHECK(past < 20);
    town.talk(listed_one, 500);
    CHECK(town.forwarded_by_rules() - before - past >= 1000);
    cloud = {};
    // Its end is seen by the rules again, and the next one is a connection like any other.
    town.wait_until([&] { return !town.is_offloaded(town.cloud); });
    auto next = town.connect(town.cloud, town.port);
    town.talk(next, 5);
    CHECK(town.is_offloaded(town.cloud));
  }
  SECTION("over UDP, once it was answered") {
    auto cloud = town.datagrams(town.cloud, town.port);
    town.send_unanswered(cloud, 3);
    CHECK_FALSE(town.is_offloaded(town.cloud));
    town.talk(cloud, 5);
    CHECK(town.is_offloaded(town.cloud));
  }
  SECTION("across a cable that is pulled, and rules that are written anew") {
    auto cloud = town.connect(town.cloud, town.port);
    town.talk(cloud, 5);
    REQUIRE(town.is_offloaded(town.cloud));
    town.pull_cable();
    town.talk(cloud, 5);
    auto without = town.intent();
    without.offloaded.clear();
    must(connection.commit(reconciled(connection, without)));
    town.talk(cloud, 5);
    CHECK_FALSE(town.is_offloaded(town.cloud));
    must(connection.commit(reconciled(connection, town.intent())));
    town.talk(cloud, 5);
    CHECK(town.is_offloaded(town.cloud));
  }
}
