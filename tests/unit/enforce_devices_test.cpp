// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// Whose group the devices of the LAN are in, and which of them pass for others.
#include "daemon/enforce/impostors.hpp"
#include "daemon/enforce/online.hpp"
#include "daemon/policy/compile.hpp"
#include "tests/catch.hpp"
#include "tests/unit/sample_box.hpp"

#include <nlohmann/json.hpp>

using namespace schultor;
using namespace schultor::enforce;
using namespace std::chrono_literals;
using netfilter::neighbours::Confirmation;
using netfilter::neighbours::State;
using netfilter::neighbours::Table;

namespace {

constexpr const char* city_toml = R"(
revision = 7
[cloud]
domains = ["mnspro.test"]
[[profile]]
name = "school"
access = "listed"
allow = []
)";
constexpr const char* school_toml = R"(
[[group]]
name = "3b"
profile = "school"
[[group]]
name = "lehrkraefte"
profile = "school"
prefixes = ["10.78.0.0/16"]
interfaces = ["lan1"]
[[group]]
name = "labor"
profile = "school"
prefixes = ["10.78.5.0/24"]
[[group]]
name = "gaeste"
profile = "school"
unknown = true
interfaces = ["lan2"]
)";
constexpr const char* roster =
    "mac,group\n02:77:00:00:00:01,3b\n02:77:00:00:00:02,3b\n02:77:00:00:00:03,3b\n02:77:00:00:00:04,3b\n02:77:00:00:00:05,3b\n"
    "02:77:00:00:00:07,lehrkraefte\n";
enum Group : std::size_t { class_3b, teachers, laboratory, guests };

policy::Policy make_policy() {
  auto loaded = policy::load(config::Files{sample::box("\"lan0\", \"lan1\", \"lan2\""), city_toml, school_toml, roster},
                             config::Need::everything());
  for (const auto& diagnostic : loaded.diagnostics) UNSCOPED_INFO(config::to_string(diagnostic));
  REQUIRE(loaded.policy);
  return *loaded.policy;
}

base::Mac mac(int number) { return {{0x02, 0x77, 0, 0, 0, static_cast<std::uint8_t>(number)}}; }
base::Address address(const std::string& text) { return base::parse_address(text).value(); }

struct School {
  policy::Policy policy = make_policy();
  policy::Selectors selectors{policy};
  Table table;
  netfilter::neighbours::Instant now{1h};

  School() {
    table.follow({"lan0", "lan1", "lan2"});
    for (unsigned i = 0; i < 3; ++i) CHECK(table.set_link({i + 1, fmt::format("lan{}", i), true}));
  }
  void there(const std::string& text, int device, unsigned lan = 0, State state = State::confirmed) {
    table.note({lan + 1, address(text), mac(device), state}, now);
  }
  std::vector<std::size_t> online() const { return online_by_group(policy, selectors, table, now); }
};

struct Watched {
  policy::Policy policy = make_policy();
  Impostors impostors;
  netfilter::neighbours::Instant now{1h};

  /// What is found when it answers so, a while after it did last.
  std::vector<std::string> answers(int device, const std::string& text, const std::string& interface = "lan0",
                                   std::chrono::seconds after = 25s) {
    now += after;
    std::vector<std::string> texts;
    for (const auto& one : impostors.look(policy, Confirmation{mac(device), address(text), interface}, now)) {
      CHECK(one.text.find("02:77") == std::string::npos);
      CHECK(one.local.find(to_string(mac(device))) == 0);
      texts.push_back(one.text);
    }
    return texts;
  }
};
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("what puts a device into its group is its line of the roster, then the longest network, then its interface") {
  const School school;
  const auto group = [&](const policy::Traits& traits) {
    const auto found = school.selectors.find(traits);
    return fmt::format("{} {} {}:{}", school.policy.groups[found.group].name, to_string(found.by), found.source.file,
                       found.source.line);
  };
  CHECK(group({mac(1), {address("10.78.5.1")}, "lan1"}) == "3b roster roster.csv:2");
  CHECK(group({mac(9), {address("10.78.5.1")}, "lan1"}) == "labor prefix school.toml:13");
  CHECK(group({mac(9), {address("fd77::1"), address("10.78.4.1")}, "lan2"}) == "lehrkraefte prefix school.toml:8");
  CHECK(group({mac(9), {address("10.77.5.1"), address("fd77::1")}, "lan1"}) == "lehrkraefte interface school.toml:9");
  CHECK(group({mac(9), {address("10.77.5.1")}, "lan0"}) == "gaeste unknown school.toml:16");
  CHECK(group({std::nullopt, {address("10.78.5.255")}, {}}) == "labor prefix school.toml:13");
  CHECK(group({}) == "gaeste unknown school.toml:16");
}

TEST_CASE("a device is counted once, in its group, however many addresses it has and wherever it is") {
  School school;
  CHECK(school.online() == std::vector<std::size_t>(4));
  school.there("10.77.1.1", 1);
  school.there("fd77::1:1", 1);
  school.there("10.77.1.1", 1, 1);
  school.there("10.77.1.2", 2, 0, State::stale);
  school.there("10.77.1.7", 7);
  school.there("10.78.5.9", 9);
  school.there("10.77.1.10", 10);
  school.there("10.77.1.11", 11, 1);
  school.there("10.77.1.12", 12, 2);
  CHECK(school.online() == std::vector<std::size_t>{2, 2, 1, 2});
  school.now += Table::linger;
  CHECK(school.online() == std::vector<std::size_t>{1, 2, 1, 2});
}

TEST_CASE("administrators see the roster's devices, and those that it does not name") {
  School school;
  school.there("10.77.1.1", 1);
  school.there("fd77::1:1", 1);
  school.there("10.78.5.9", 9, 1);
  const auto document = nlohmann::json::parse(devices_json(school.policy, school.selectors, school.table, school.now));
  const auto& devices = document.at("devices");
  REQUIRE(devices.size() == 7);
  CHECK(devices[0] == nlohmann::json::parse(R"({"mac":"02:77:00:00:00:01","group":"3b","by":"roster","online":true,
    "interfaces":["lan0"],"addresses":["10.77.1.1","fd77::1:1"]})"));
  CHECK(devices[1] ==
        nlohmann::json::parse(
            R"({"mac":"02:77:00:00:00:02","group":"3b","by":"roster","online":false,"interfaces":[],"addresses":[]})"));
  CHECK(devices[6] == nlohmann::json::parse(R"({"mac":"02:77:00:00:00:09","group":"labor","by":"prefix","online":true,
    "interfaces":["lan1"],"addresses":["10.78.5.9"]})"));
}

TEST_CASE("a device with a new lease is one device, and so is one that goes back to its old address") {
  Watched watched;
  for (int i = 0; i < 10; ++i) CHECK(watched.answers(1, fmt::format("10.77.1.{}", i + 1)) == Texts{});
  for (int i = 0; i < 10; ++i) CHECK(watched.answers(2, "10.77.1.2") == Texts{});
  CHECK(watched.answers(2, "10.77.1.22") == Texts{});
  CHECK(watched.answers(2, "10.77.1.2") == Texts{});
  CHECK(watched.answers(2, "10.77.1.2") == Texts{});
  // Of IPv6 it has several.
  for (int i = 0; i < 10; ++i) CHECK(watched.answers(3, i % 2 == 0 ? "fe80::3" : "fd77::3") == Texts{});
  // As at every lesson's begin in another room, by hours.
  for (int i = 0; i < 10; ++i) CHECK(watched.answers(4, i % 2 == 0 ? "10.77.1.4" : "10.77.1.44", "lan0", 45min) == Texts{});
}

TEST_CASE("one MAC address that answers for two IPv4 addresses by turns is told once, and again after an hour without") {
  Watched watched;
  const auto turn = [&](int device, std::chrono::seconds after = 25s) {
    Texts all;
    for (int i = 0; i < 4; ++i)
      for (auto& text : watched.answers(device, i % 2 == 0 ? "10.77.1.1" : "10.77.1.2", "lan0", i == 0 ? after : 25s))
        all.push_back(std::move(text));
    return all;
  };
  CHECK(turn(1) == Texts{"a device of group 3b answers for several IPv4 addresses at the same time"});
  for (int i = 0; i < 100; ++i) CHECK(turn(1) == Texts{});
  CHECK(turn(1, 50min) == Texts{});
  CHECK(turn(1, 1h) == Texts{"a device of group 3b answers for several IPv4 addresses at the same time"});
  // A group of one is a person.
  CHECK(turn(7) == Texts{"a device of the roster answers for several IPv4 addresses at the same time"});
  CHECK(turn(9) == Texts{"a device that no roster names answers for several IPv4 addresses at the same time"});
}

TEST_CASE("three addresses that take turns are found as well, and two on two interfaces are not") {
  Watched watched;
  Texts all;
  for (int i = 0; i < 6; ++i)
    for (auto& text : watched.answers(9, fmt::format("10.77.1.{}", i % 3 + 1))) all.push_back(std::move(text));
  CHECK(all.size() == 1);
  for (int i = 0; i < 6; ++i)
    CHECK(watched.answers(10, i % 2 == 0 ? "10.77.1.1" : "10.79.1.1", i % 2 == 0 ? "lan0" : "lan2") == Texts{});
}

TEST_CASE("a tablet that is carried from one interface to another is one tablet, one that is on both is two") {
  Watched watched;
  CHECK(watched.answers(1, "10.77.1.1", "lan0") == Texts{});
  CHECK(watched.answers(1, "10.79.1.1", "lan2") == Texts{});
  CHECK(watched.answers(1, "fe80::1", "lan2") == Texts{});
  CHECK(watched.answers(1, "10.77.1.1", "lan0") == Texts{});
  CHECK(watched.answers(1, "fe80::1", "lan2") == Texts{"a device of group 3b is on several interfaces at the same time"});
  CHECK(watched.answers(1, "10.77.1.1", "lan0") == Texts{});
}

TEST_CASE("a device of the roster behind the interface of another group is told, one behind the guests' is not") {
  Watched watched;
  CHECK(watched.answers(1, "10.77.1.1", "lan2") == Texts{});
  CHECK(watched.answers(7, "10.77.1.7", "lan1") == Texts{});
  CHECK(watched.answers(9, "10.77.1.9", "lan1") == Texts{});
  CHECK(watched.answers(2, "10.77.1.2", "lan1") == Texts{"a device of group 3b is on the interface of group lehrkraefte"});
  CHECK(watched.answers(2, "10.77.1.2", "lan1") == Texts{});
}
