// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/pin_protocol.hpp"
#include "daemon/enforce/kept_pins.hpp"
#include "daemon/enforce/pin_keeper.hpp"
#include "tests/catch.hpp"

#include <netinet/in.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace schultor;
using namespace schultor::enforce;
using netfilter::planner::Pin;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

base::Address address(const char* text) { return base::parse_address(text).value(); }

constexpr std::chrono::sys_seconds written{seconds{1'764'163'200}};

const policy::Ports web{{IPPROTO_TCP, 443, 443}};

/// A school whose cloud has names on the usual ports, and one on udp 3478 to 3481.
policy::GateRules rules() {
  policy::GateRules rules;
  rules.cloud = policy::NamePatterns({{"cloud.test", {}, policy::cloud_door}, {"teams.test", {}, policy::port_class_door(0)}});
  rules.cloud_ports = {{{IPPROTO_UDP, 3478, 3481}}};
  rules.lan = {base::parse_interface_address("10.77.0.1/16").value()};
  return rules;
}

KeptPins kept(seconds left, bool trusted = true, const policy::Ports& ports = web, const char* of = "198.51.100.10") {
  return {written, trusted, {{address(of), {}, left, ports}}};
}

/// Of the one pin; none where it is not opened again.
seconds left_of(const KeptPins& pins, base::Instant now, bool trusted = true) {
  const auto left = pins_left(pins, rules(), now, trusted);
  return left.empty() ? seconds{0} : left.front().lifetime;
}

}  // namespace

SCENARIO("what is written is read as it was, and is written in one way") {
  const auto made = kept_pins_of(written, true,
                                 {{address("198.51.100.10"), IPPROTO_UDP, 443, seconds{86390}},
                                  {address("198.51.100.10"), IPPROTO_TCP, 443, seconds{86391}},
                                  {address("2001:db8:51::10"), IPPROTO_TCP, 443, seconds{60}},
                                  {address("198.51.100.10"), IPPROTO_TCP, 80, seconds{86391}},
                                  {address("198.51.100.10"), IPPROTO_UDP, 443, seconds{86389}}});
  const std::string text =
      "cloud-pins 1\nwritten 1764163200 trusted\nopen tcp 80, tcp 443, udp 443\n198.51.100.10 86389\nopen tcp 443\n"
      "2001:db8:51::10 60\nend 2\n";
  CHECK(to_text(made) == text);
  const auto back = kept_pins_from_text(text);
  REQUIRE(back);
  CHECK(*back == made);
  CHECK(to_text({written, false, {}}) == "cloud-pins 1\nwritten 1764163200 untrusted\nend 0\n");
}

SCENARIO("ports of an address that were pinned at different times keep their own ends") {
  const auto made = kept_pins_of(written, true,
                                 {{address("198.51.100.10"), IPPROTO_TCP, 443, seconds{86000}},
                                  {address("198.51.100.10"), IPPROTO_UDP, 3478, seconds{300}},
                                  {address("198.51.100.10"), IPPROTO_UDP, 3479, seconds{300}},
                                  {address("198.51.100.11"), IPPROTO_TCP, 443, seconds{0}}});
  REQUIRE(made.pins.size() == 2);
  CHECK(made.pins[0] == Pin{address("198.51.100.10"), {}, seconds{86000}, web});
  CHECK(made.pins[1] == Pin{address("198.51.100.10"), {}, seconds{300}, {{IPPROTO_UDP, 3478, 3479}}});
}

SCENARIO("of too many pins those are kept that live longest") {
  std::vector<OpenPort> open;
  for (std::uint32_t i = 0; i <= most_kept_pins; ++i) {
    auto of = address("198.18.0.0");
    of.octets[1] = static_cast<std::uint8_t>(18 + (i >> 16U));
    of.octets[2] = static_cast<std::uint8_t>(i >> 8U);
    of.octets[3] = static_cast<std::uint8_t>(i);
    open.push_back({of, IPPROTO_TCP, 443, seconds{i == 7 ? 5 : 86000}});
  }
  const auto made = kept_pins_of(written, true, open);
  CHECK(made.pins.size() == most_kept_pins);
  for (const auto& pin : made.pins) REQUIRE(pin.lifetime == seconds{86000});
  const auto back = kept_pins_from_text(to_text(made));
  REQUIRE(back);
  CHECK(*back == made);
}

SCENARIO("a pin's time goes on while the machine is off, and never grows") {
  CHECK(left_of(kept(hours{20}), written + hours{1}) == hours{19});
  CHECK(left_of(kept(hours{20}), written + hours{20}) == seconds{0});
  CHECK(left_of(kept(hours{20}), written + hours{900}) == seconds{0});
  // Part of a second counts as a whole one.
  CHECK(left_of(kept(seconds{10}), written + std::chrono::milliseconds{1500}) == seconds{8});
}

SCENARIO("where the time that passed is not known a pin is left an hour at most") {
  GIVEN("a clock that is not to be believed now") {
    CHECK(left_of(kept(hours{20}), written - hours{500}, false) == grace_without_clock);
    CHECK(left_of(kept(minutes{5}), written - hours{500}, false) == minutes{5});
    // At least so much has passed.
    CHECK(left_of(kept(hours{20}), written + minutes{1170}, false) == minutes{30});
    CHECK(left_of(kept(hours{20}), written + hours{21}, false) == seconds{0});
  }
  GIVEN("one that was not when they were written") {
    CHECK(left_of(kept(hours{20}, false), written + hours{9000}) == grace_without_clock);
    CHECK(left_of(kept(minutes{5}, false), written + hours{9000}) == minutes{5});
  }
  GIVEN("one that has been set back since") { CHECK(left_of(kept(hours{20}), written - seconds{1}) == grace_without_clock); }
}

SCENARIO("a pin opens no port that no name of the cloud has any more, and no address inside") {
  const auto now = base::Instant{written};
  const policy::Ports both{{IPPROTO_TCP, 443, 443}, {IPPROTO_UDP, 3470, 3479}};
  const auto some = pins_left(kept(hours{1}, true, both), rules(), now, true);
  REQUIRE(some.size() == 1);
  CHECK(some[0].ports == policy::Ports{{IPPROTO_TCP, 443, 443}, {IPPROTO_UDP, 3478, 3479}});
  CHECK(pins_left(kept(hours{1}, true, {{IPPROTO_TCP, 8443, 8443}}), rules(), now, true).empty());
  for (const auto* inside : {"10.77.0.9", "10.77.0.1", "127.0.0.1", "fe80::1", "224.0.0.1"})
    CHECK(pins_left(kept(hours{1}, true, web, inside), rules(), now, true).empty());
  auto none = rules();
  none.cloud = {};
  CHECK(pins_left(kept(hours{1}), none, now, true).empty());
}

SCENARIO("what is not written so is refused") {
  const std::string good = "cloud-pins 1\nwritten 5 trusted\nopen tcp 443\n198.51.100.10 60\nend 1\n";
  REQUIRE(kept_pins_from_text(good));
  for (std::size_t length = 0; length < good.size(); ++length) CHECK_FALSE(kept_pins_from_text(good.substr(0, length)));
  for (const auto* bad : {
           "cloud-pins 2\nwritten 5 trusted\nend 0\n",
           "cloud-pins 1\nwritten -5 trusted\nend 0\n",
           "cloud-pins 1\nwritten 4102444801 trusted\nend 0\n",
           "cloud-pins 1\nwritten 05 trusted\nend 0\n",
           "cloud-pins 1\nwritten 5 believed\nend 0\n",
           "cloud-pins 1\nwritten 5 trusted\nend 1\n",
           "cloud-pins 1\nwritten 5 trusted\nend 0\nend 0\n",
           "cloud-pins 1\nwritten 5 trusted\n198.51.100.10 60\nend 1\n",
           "cloud-pins 1\nwritten 5 trusted\nopen tcp 443, tcp 80\n198.51.100.10 60\nend 1\n",
           "cloud-pins 1\nwritten 5 trusted\nopen tcp 443-443\n198.51.100.10 60\nend 1\n",
           "cloud-pins 1\nwritten 5 trusted\nopen icmp 4\n198.51.100.10 60\nend 1\n",
           "cloud-pins 1\nwritten 5 trusted\nopen tcp 65536\n198.51.100.10 60\nend 1\n",
           "cloud-pins 1\nwritten 5 trusted\nopen tcp 443\nopen tcp 444\n198.51.100.10 60\nend 1\n",
           "cloud-pins 1\nwritten 5 trusted\nopen tcp 443\n198.51.100.10 60\nopen tcp 444\nend 1\n",
           "cloud-pins 1\nwritten 5 trusted\nopen tcp 443\n198.51.100.10 0\nend 1\n",
           "cloud-pins 1\nwritten 5 trusted\nopen tcp 443\n198.51.100.10 172801\nend 1\n",
           "cloud-pins 1\nwritten 5 trusted\nopen tcp 443\n198.51.100.010 60\nend 1\n",
           "cloud-pins 1\nwritten 5 trusted\nopen tcp 443\n198.51.100.11 60\n198.51.100.10 60\nend 2\n",
           "cloud-pins 1\nwritten 5 trusted\nopen tcp 1-65535\n198.51.100.10 60\n198.51.100.11 60\n198.51.100.12 60\n198.51.100.13 "
           "60\n"
           "198.51.100.14 60\n198.51.100.15 60\n198.51.100.16 60\nend 7\n",
       }) {
    CAPTURE(bad);
    CHECK_FALSE(kept_pins_from_text(bad));
  }
  const auto error = kept_pins_from_text("cloud-pins 1\nwritten 5 trusted\nopen tcp 443\nsoon\nend 1\n");
  REQUIRE_FALSE(error);
  CHECK(error.error().what().find("line 4") != std::string::npos);
}

SCENARIO("a damaged file of pins is moved aside, and says so") {
  std::string directory = (std::filesystem::temp_directory_path() / "schultor-pins-XXXXXX").string();
  REQUIRE(mkdtemp(directory.data()) != nullptr);
  const auto path = directory + "/cloud_pins";
  const auto none = load_kept_pins(path);
  REQUIRE(none);
  CHECK_FALSE(*none);
  std::ofstream(path) << "cloud-pins 1\nwri";
  const auto damaged = load_kept_pins(path);
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().what().find("cloud_pins.damaged") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK(std::filesystem::exists(path + ".damaged"));
  std::ofstream(path) << to_text(kept(hours{1}));
  const auto good = load_kept_pins(path);
  REQUIRE(good);
  CHECK(*good == kept(hours{1}));
  std::filesystem::remove_all(directory);
}
