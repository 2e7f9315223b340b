// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// What others do to the table is noticed, with who did it and what differs; what we do ourselves is not.
#include "netfilter/kernel/watch.hpp"
#include "netfilter/planner/differences.hpp"
#include "netfilter/planner/switch.hpp"
#include "tests/kernel/netfilter_helpers.hpp"

using namespace schultor;
using namespace schultor::netfilter;
using namespace schultor::netfilter::planner;
using namespace schultor::test;

namespace {

const bool isolated = (enter_network_namespace(), true);

struct Guarded {
  kernel::Connection connection = kernel_with(school());
  kernel::Watch watch = must(kernel::Watch::open(std::string(table_name), connection.port()));

  std::vector<kernel::ForeignChange> changes() { return must(watch.read()); }
  std::vector<std::string> differences() { return planner::differences(build(school()), must(connection.read(table_name))); }
  void put_right() {
    must(connection.commit(reconciled(connection, school())));
    CHECK(differences().empty());
    CHECK(changes().empty());
  }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("what nft does to the table is told with its name, and what differs") {
  Guarded guarded;
  CHECK(guarded.changes().empty());
  CHECK(guarded.differences().empty());
  const auto [command, lines] = GENERATE(table<std::string, Lines>({
      {"delete table inet schultor", {"table inet schultor is missing"}},
      {"flush ruleset", {"table inet schultor is missing"}},
      {"insert rule inet schultor through_gateway accept", {"chain through_gateway has a rule that is not ours"}},
      {"add element inet schultor device_group { 02:77:00:00:00:99 : 0x2 }",
       {"element 02:77:00:00:00:99 : 0x00000002 of map device_group is not ours"}},
      {"delete element inet schultor device_group { 02:77:00:00:00:01 }",
       {"element 02:77:00:00:00:01 : 0x00000001 of map device_group is missing"}},
      {"add chain inet schultor backdoor", {"chain backdoor is not ours"}},
      {"add set inet schultor friends { type ipv4_addr; }", {"set friends is not ours"}},
      {"chain inet schultor through_gateway { policy accept; }", {"chain through_gateway has another hook, priority or policy"}},
      {"add table inet schultor { flags dormant; }", {"table inet schultor is dormant: it enforces nothing"}},
  }));
  CAPTURE(command);
  run("nft '" + command + "'");
  const auto changes = guarded.changes();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].process == "nft");
  CHECK(changes[0].pid > 0);
  CHECK(guarded.differences() == lines);
  CHECK_FALSE(reconciled(guarded.connection, school()).empty());
  guarded.put_right();
}

TEST_CASE("rules that have gone are named, and ones in another order are told from them") {
  Guarded guarded;
  run("nft flush chain inet schultor refuse");
  CHECK(guarded.changes().size() == 1);
  const auto lines = guarded.differences();
  REQUIRE(lines.size() == 6);
  CHECK_THAT(lines[0], Catch::Matchers::StartsWith("chain refuse lacks the rule: "));
  guarded.put_right();
  run("nft add rule inet schultor never drop; nft add rule inet schultor never drop");
  CHECK(guarded.changes().size() == 2);
  CHECK(guarded.differences() == Lines{"chain never has 2 rules that are not ours"});
  guarded.put_right();
}

TEST_CASE("of pins that are taken away it is told from which sets, and of what closes nothing that nothing went") {
  Guarded guarded;
  must(guarded.connection.commit(pin({{address("198.51.100.7"), "school", std::chrono::seconds(60)}})));
  const auto taken = [&](const std::string& command) {
    run("nft '" + command + "'");
    const auto changes = guarded.changes();
    REQUIRE(changes.size() == 1);
    return changes[0].taken_from;
  };
  using Sets = std::set<std::string>;
  CHECK(taken("add element inet schultor allow_school4 { 198.51.100.9 timeout 60s }") == Sets{});
  CHECK(taken("delete element inet schultor allow_school4 { 198.51.100.9 }") == Sets{"allow_school4"});
  CHECK(taken("flush set inet schultor allow_school4") == Sets{"allow_school4"});
  CHECK(taken("insert rule inet schultor refuse accept") == Sets{});
  CHECK(taken("delete table inet schultor") == std::nullopt);
}

TEST_CASE("names that others gave are printable") {
  Guarded guarded;
  CHECK(planner::differences(build(school()), [&] {
          auto found = must(guarded.connection.read(table_name));
          found.chains.push_back({"\x1b[31m\xff\n"});
          return found;
        }()) == Lines{"chain \\x1b[31m\\xff\\x0a is not ours"});
}

TEST_CASE("our own transactions and other tables are nobody's business") {
  Guarded guarded;
  run("nft 'add table inet other; add chain inet other schultor; add table ip schultor; add set ip schultor x { type ipv4_addr; "
      "}'");
  CHECK(guarded.changes().empty());
  must(guarded.connection.commit(switch_groups({GroupSwitch{Group{1, "school", 1, 7}, Group{1, "leisure", 2, 8}}})));
  CHECK(guarded.changes().empty());
  CHECK_FALSE(guarded.differences().empty());
  // Ours does not hide theirs.
  run("nft add chain inet schultor backdoor");
  must(guarded.connection.commit(reconciled(guarded.connection, school())));
  CHECK(guarded.changes().size() == 1);
}

TEST_CASE("what is not heard is counted") {
  Guarded guarded;
  const auto before = must(guarded.connection.generation());
  CHECK(must(guarded.connection.generation()) == before);
  REQUIRE(guarded.watch.mute());
  must(guarded.connection.commit(pin({{address("198.51.100.7"), "school", std::chrono::seconds(60)}})));
  CHECK(must(guarded.connection.generation()) == before + 1);
  run("nft add chain inet schultor backdoor");
  REQUIRE(guarded.watch.unmute());
  CHECK(must(guarded.connection.generation()) == before + 2);
  CHECK(guarded.changes().empty());
  run("nft delete chain inet schultor backdoor");
  CHECK(guarded.changes().size() == 1);
}

TEST_CASE("many pins go into force unheard, few are heard, and neither hides what others do") {
  Guarded guarded;
  std::vector<Pin> pins;
  for (int i = 1; i <= 20; ++i) pins.push_back({address(fmt::format("198.51.100.{}", i)), "school", std::chrono::seconds(60)});
  for (const std::size_t count : {std::size_t{1}, kernel::Watch::least_quiet - 1, kernel::Watch::least_quiet, pins.size()}) {
    CAPTURE(count);
    const std::vector<Pin> some(pins.begin(), pins.begin() + static_cast<std::ptrdiff_t>(count));
    must(guarded.watch.commit(guarded.connection, pin(some), some.size()));
    CHECK_FALSE(guarded.watch.missed());
    CHECK(guarded.changes().empty());
    run("nft add chain inet schultor backdoor");
    must(guarded.watch.commit(guarded.connection, pin(some), some.size()));
    CHECK(guarded.changes().size() == 1);
    guarded.put_right();
  }
  // A refused transaction counts none.
  const Plan refused = pin({pins.begin(), pins.end()});
  run("nft delete table inet schultor");
  CHECK_FALSE(guarded.watch.commit(guarded.connection, refused, pins.size()));
  CHECK_FALSE(guarded.watch.missed());
  CHECK(guarded.changes().size() == 1);
}

TEST_CASE("of thousands of changed elements the first are named") {
  Guarded guarded;
  std::string elements;
  for (int i = 0; i < 5000; ++i) elements += fmt::format("{}02:99:00:00:{:02x}:{:02x} : 0x2", i == 0 ? "" : ", ", i / 256, i % 256);
  const TemporaryFile file("add element inet schultor device_group { " + elements + " }\n");
  run("nft -f " + file.path());
  CHECK(guarded.changes().size() == 1);
  const auto lines = guarded.differences();
  CHECK(lines.size() == 21);
  CHECK(lines.back() == "the same goes for 4980 more elements of map device_group");
}
