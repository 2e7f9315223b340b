// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/planner/switch.hpp"
#include "tests/kernel/netfilter_helpers.hpp"

using namespace schultor;
using namespace schultor::netfilter;
using namespace schultor::netfilter::planner;
using namespace schultor::test;
using kernel::RefreshMode;

namespace {

const bool isolated = (enter_network_namespace(), true);

std::vector<GroupSwitch> to_leisure(const Intent& intent, std::size_t count) {
  std::vector<GroupSwitch> switches;
  for (const Group& group : intent.groups) {
    if (switches.size() == count) break;
    switches.push_back({group, {group.number, "leisure", 2, next(group.generation)}});
  }
  return switches;
}

}  // namespace

TEST_CASE("ten thousand devices and five thousand pins load, and come back whole") {
  const auto intent = large_school(100, 10'000);
  auto connection = kernel_with(intent);
  const auto pinned = must(connection.commit(pin(many_pins(5'000))));
  CHECK(pinned.elements == 2'500 + 3 * 2'500);
  CHECK(to_string(reconciled(connection, intent)) == "");
  CHECK(pins_found(must(connection.read(table_name)), intent.profiles).size() == 5'000);
}

TEST_CASE("a table begins with the pins that it is given, and a set is read element by element") {
  const auto intent = school();
  auto connection = fresh_kernel();
  auto ruleset = build(intent);
  // Of a profile that is not there nothing comes to be.
  auto pins = many_pins(5'000);
  pins.push_back({address("192.0.2.1"), "nobody", std::chrono::hours(1)});
  begin_with(ruleset, pins);
  must(connection.commit(reconcile(ruleset, must(connection.read(table_name)))));
  std::size_t count = 0;
  const auto of_cloud = declaration::pins("", base::Family::ipv4);
  const auto listing = must(connection.read_elements(table_name, of_cloud, [&](const model::Element& element) {
    ++count;
    CHECK(element.key.size() == 3);
    CHECK(element.timeout.value_or(std::chrono::hours(9)) <= std::chrono::hours(1));
    CHECK(element.timeout.value_or(std::chrono::hours(0)) > std::chrono::minutes(50));
  }));
  CHECK(listing == kernel::Listing::whole);
  CHECK(count == 3 * 2'500);
  // What lives is left alone.
  CHECK(to_string(reconcile(ruleset, must(connection.read(table_name)))) == "");
  const auto ignore = [](const model::Element&) {};
  CHECK(must(connection.read_elements("none", of_cloud, ignore)) == kernel::Listing::absent);
  CHECK(must(connection.read_elements(table_name, declaration::pins("nobody", base::Family::ipv4), ignore)) ==
        kernel::Listing::absent);
  auto other = of_cloud;
  other.key = {model::Type::ether_addr};
  CHECK_FALSE(connection.read_elements(table_name, other, ignore));
}

TEST_CASE("a hundred thousand elements load in one transaction") {
  const auto intent = large_school(100, 100'000);
  auto connection = kernel_with(intent);
  const auto found = must(connection.read(table_name));
  const auto devices = std::find_if(found.sets.begin(), found.sets.end(),
                                    [](const model::FoundSet& set) { return set.declaration.name == "device_group"; });
  REQUIRE(devices != found.sets.end());
  CHECK(devices->elements.size() == 100'000);
}

TEST_CASE("the networks of long lists load in one transaction, and others take their place in one") {
  auto intent = school();
  const auto network = [](std::size_t i) {  // no two touch
    const std::array<std::uint8_t, 4> octets{static_cast<std::uint8_t>(100 + (i >> 15)), static_cast<std::uint8_t>(i >> 7),
                                             static_cast<std::uint8_t>(i << 1), 0};
    return base::Prefix{base::address_from_bytes(octets), 24};
  };
  intent.never.clear();
  intent.profiles[1].blocked.emplace();
  for (std::size_t i = 0; i < 65'536; ++i) {
    intent.never.push_back(network(i));
    intent.profiles[1].blocked->push_back(network(i));
  }
  auto connection = kernel_with(intent);
  CHECK(to_string(reconciled(connection, intent)) == "");
  intent.never.pop_back();
  intent.profiles[1].blocked->front() = network(65'536);
  must(connection.commit(reconciled(connection, intent)));
  CHECK(to_string(reconciled(connection, intent)) == "");
}

TEST_CASE("a switch takes as many messages for five thousand tablets as for fifty, and for a hundred groups as for one") {
  std::size_t messages = 0;
  for (const std::size_t groups : {1U, 30U, 100U}) {
    for (const std::size_t tablets : {50U, 500U, 5'000U}) {
      const auto intent = large_school(groups, tablets);
      auto connection = kernel_with(intent);
      const auto switches = to_leisure(intent, groups);
      const auto committed = must(connection.commit(switch_groups(switches)));
      CAPTURE(groups, tablets);
      if (messages == 0) messages = committed.messages;
      CHECK(committed.messages == messages);
      CHECK(committed.messages == 10);
      CHECK(committed.elements == 10 * groups);
      auto after = intent;
      for (const auto& change : switches) after.groups[change.to.number - 1U] = change.to;
      CHECK(to_string(reconciled(connection, after)) == "");
    }
  }
}

TEST_CASE("what is read right after a large load is whole, while the kernel still grows its tables") {
  const auto intent = large_school(30, 5'000);
  for (int round = 0; round < 20; ++round) {
    auto connection = kernel_with(intent);
    CHECK(to_string(reconciled(connection, intent)) == "");
  }
}

TEST_CASE("a group that is new enters by a switch, and one that stays as it was costs nothing") {
  auto intent = school();
  auto connection = kernel_with(intent);
  const Group fresh{9, "school", 1, 1};
  const auto committed = must(connection.commit(switch_groups({{{}, fresh}, {intent.groups[0], intent.groups[0]}})));
  CHECK(committed.messages == 5);
  CHECK(committed.elements == 5);
  intent.groups.push_back(fresh);
  CHECK(to_string(reconciled(connection, intent)) == "");
}

TEST_CASE("a pin's life is renewed in either mode, also of pins that were never made") {
  auto connection = kernel_with(school());
  const auto probed = must(connection.probe_refresh());
  // The scratch table is gone.
  CHECK_FALSE(must(connection.read("schultor_probe")).exists);
  CHECK(must(connection.probe_refresh()) == probed);

  for (const RefreshMode mode : {RefreshMode::replace, RefreshMode::update}) {
    if (mode == RefreshMode::update && probed != RefreshMode::update) {
      WARN("this kernel ignores NFTA_SET_ELEM_EXPIRATION on elements that are there: only add, delete, add is tested");
      continue;
    }
    connection.use_refresh(mode);
    const auto life = [&](const char* of) {
      for (const Pin& pin : pins_found(must(connection.read(table_name)), school().profiles))
        if (pin.address == address(of)) return pin.lifetime;
      return std::chrono::seconds(0);
    };
    must(connection.commit(pin({{address("192.0.2.1"), "school", std::chrono::minutes(2)},
                                {address("192.0.2.2"), "", std::chrono::minutes(2), usual_ports}})));
    CHECK(life("192.0.2.1") <= std::chrono::minutes(2));
    const auto committed = must(connection.commit(pin({{address("192.0.2.1"), "school", std::chrono::hours(2)},
                                                       {address("192.0.2.2"), "", std::chrono::hours(2), usual_ports},
                                                       {address("192.0.2.2"), "", std::chrono::hours(1), usual_ports},
                                                       {address("192.0.2.3"), "school", std::chrono::hours(2)}})));
    CHECK(committed.elements == 5);
    CHECK(committed.messages == (mode == RefreshMode::update ? 2 : 6));
    for (const char* of : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) CHECK(life(of) > std::chrono::minutes(90));
    run("nft flush set inet schultor allow_school4");
    run("nft flush set inet schultor cloud4");
  }
}
