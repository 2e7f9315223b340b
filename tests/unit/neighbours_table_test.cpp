// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// Which devices count as online, whatever the kernel tells of them and in whatever order.
#include "netfilter/neighbours/table.hpp"
#include "tests/catch.hpp"

#include <fmt/format.h>

#include <map>
#include <random>

using namespace schultor;
using namespace schultor::netfilter::neighbours;
using namespace std::chrono_literals;

namespace {

const Instant start{1h};
constexpr unsigned lan0 = 2, lan1 = 3, wan0 = 4;

base::Mac mac(int number) {
  return {{0x02, 0x77, 0, 0, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)}};
}
base::Address address(const std::string& text) { return base::parse_address(text).value(); }

Neighbour neighbour(const std::string& text, int device, State state, unsigned link = lan0, std::chrono::milliseconds age = 0ms) {
  return {link, address(text), mac(device), state, age};
}
/// As the kernel tells of one whose device does not answer: without its MAC address.
Neighbour silent(const std::string& text, unsigned link = lan0) { return {link, address(text), std::nullopt, State::unknown}; }

struct Lan {
  Table table;
  Instant now = start;
  Lan() {
    table.follow({"lan0", "lan1"});
    CHECK(table.set_link({lan0, "lan0", true}));
    CHECK(table.set_link({lan1, "lan1", true}));
    CHECK_FALSE(table.set_link({wan0, "wan0", true}));
  }
  bool note(const Neighbour& one) { return table.note(one, now).has_value(); }
  std::map<base::Mac, bool> devices() const {
    std::map<base::Mac, bool> found;
    table.for_each(now, [&](const Device& one) { found[one.mac] = found[one.mac] || one.online; });
    return found;
  }
  bool online(int device) const {
    const auto found = devices();
    const auto known = found.find(mac(device));
    return known != found.end() && known->second;
  }
};

}  // namespace

TEST_CASE(
    "a device is online while an address of it is confirmed or in use, and five minutes longer where nobody has looked since") {
  Lan lan;
  const auto state = GENERATE(State::confirmed, State::in_use);
  lan.note(neighbour("10.77.1.1", 1, state));
  lan.now += 24h;
  CHECK(lan.online(1));
  lan.note(neighbour("10.77.1.1", 1, State::stale));
  lan.now += 4min + 59s;
  CHECK(lan.online(1));
  lan.now += 1s;
  CHECK_FALSE(lan.online(1));
  // The kernel may keep a stale entry for good.
  CHECK(lan.table.size() == 1);
  lan.note(neighbour("10.77.1.1", 1, State::confirmed));
  CHECK(lan.online(1));
}

TEST_CASE("whom the kernel collects is online for as long as if its entry had stayed") {
  Lan lan;
  const auto state = GENERATE(State::confirmed, State::in_use, State::stale);
  lan.note(neighbour("10.77.1.1", 1, state));
  lan.now += 1min;
  const auto since = state == State::stale ? lan.now - 1min : lan.now;
  lan.table.remove(lan0, address("10.77.1.1"), lan.now);
  CHECK(lan.table.entries() == 0);
  CHECK(lan.online(1));
  lan.now = since + Table::linger - 1s;
  lan.table.forget(lan.now);
  CHECK(lan.online(1));
  lan.now = since + Table::linger;
  CHECK_FALSE(lan.online(1));
  lan.table.forget(lan.now);
  CHECK(lan.table.size() == 0);
}

TEST_CASE("a device that comes back while it is remembered is one device") {
  Lan lan;
  lan.note(neighbour("10.77.1.1", 1, State::stale));
  lan.table.remove(lan0, address("10.77.1.1"), lan.now);
  lan.note(neighbour("10.77.1.2", 1, State::confirmed));
  lan.now += 1h;
  lan.table.forget(lan.now);
  CHECK(lan.devices() == std::map<base::Mac, bool>{{mac(1), true}});
}

TEST_CASE("who does not answer for its last address has left, and who has others is judged by them") {
  Lan lan;
  lan.note(neighbour("10.77.1.1", 1, State::confirmed));
  lan.note(neighbour("fd77::1:1", 1, State::confirmed));
  lan.note(silent("10.77.1.1"));
  CHECK(lan.online(1));
  lan.note(neighbour("fd77::1:1", 1, State::stale));
  lan.note(silent("fd77::1:1"));
  CHECK_FALSE(lan.online(1));
  CHECK(lan.table.size() == 0);
  lan.table.remove(lan0, address("fd77::1:1"), lan.now);
  CHECK(lan.table.size() == 0);
}

TEST_CASE("an address that another device has now is the other's") {
  Lan lan;
  lan.note(neighbour("10.77.1.1", 1, State::confirmed));
  CHECK(lan.note(neighbour("10.77.1.1", 2, State::confirmed)));
  CHECK(lan.table.entries() == 1);
  lan.now += Table::linger;
  CHECK_FALSE(lan.online(1));
  CHECK(lan.online(2));
}

TEST_CASE("what is no device, and what is not on the LAN, is passed over") {
  Lan lan;
  lan.note(neighbour("10.77.1.1", 1, State::fixed));
  lan.note(silent("10.77.1.2"));
  lan.note({lan0, address("ff02::1"), base::parse_mac("33:33:00:00:00:01").value(), State::stale});
  lan.note(neighbour("198.51.100.1", 1, State::confirmed, wan0));
  lan.note(neighbour("10.77.1.1", 1, State::confirmed, 77));
  CHECK(lan.table.size() == 0);
  // One that somebody has written down meanwhile tells nothing any more.
  lan.note(neighbour("10.77.1.1", 1, State::confirmed));
  lan.note(neighbour("10.77.1.1", 1, State::fixed));
  CHECK(lan.table.entries() == 0);
}

TEST_CASE("with an interface that goes, is down or is called otherwise its devices go at once, and it can come back") {
  Lan lan;
  lan.note(neighbour("10.77.1.1", 1, State::confirmed));
  lan.note(neighbour("10.77.1.9", 9, State::stale));
  lan.table.remove(lan0, address("10.77.1.9"), lan.now);
  lan.note(neighbour("10.77.1.2", 2, State::confirmed, lan1));
  const auto how = GENERATE(0, 1, 2, 3);
  CAPTURE(how);
  if (how == 0) lan.table.remove_link(lan0);
  if (how == 1) CHECK_FALSE(lan.table.set_link({lan0, "lan0", false}));
  if (how == 2) CHECK_FALSE(lan.table.set_link({lan0, "lan9", true}));
  if (how == 3) lan.table.replace({{lan1, "lan1", true}}, {neighbour("10.77.1.2", 2, State::confirmed, lan1)}, lan.now);
  CHECK(lan.devices() == std::map<base::Mac, bool>{{mac(2), true}});
  // The kernel tells of its neighbours' end after the interface's.
  lan.table.remove(lan0, address("10.77.1.1"), lan.now);
  CHECK_FALSE(lan.note(neighbour("10.77.1.1", 1, State::confirmed)));
  CHECK(lan.table.size() == 1);
  CHECK(lan.table.set_link({lan0, "lan0", true}));
  lan.note(neighbour("10.77.1.1", 1, State::confirmed));
  CHECK(lan.online(1));
}

TEST_CASE("all that there is takes the place of what was known, and is told once") {
  Lan lan;
  const std::vector<Link> links{{lan0, "lan0", true}, {lan1, "lan1", true}};
  lan.note(neighbour("10.77.1.1", 1, State::confirmed));
  lan.note(neighbour("10.77.1.2", 2, State::stale));
  lan.now += 1min;
  const std::vector<Neighbour> all{neighbour("10.77.1.2", 2, State::confirmed), neighbour("10.77.1.3", 3, State::stale, lan1, 4min),
                                   neighbour("10.77.1.4", 4, State::stale, lan1, 5min)};
  for (int i = 0; i < 2; ++i) {
    lan.table.replace(links, all, lan.now);
    CHECK(lan.table.entries() == 3);
    // The first one is gone: it left no word that it does not answer.
    CHECK(lan.devices() == std::map<base::Mac, bool>{{mac(1), true}, {mac(2), true}, {mac(3), true}, {mac(4), false}});
  }
  // What the kernel told before it was asked for all, and is read only now, says nothing new.
  CHECK_FALSE(lan.note(neighbour("10.77.1.2", 2, State::confirmed)));
  lan.now += 1min;
  CHECK_FALSE(lan.online(3));
}

TEST_CASE("a confirmation is told when the device answered, once") {
  Lan lan;
  CHECK(lan.table.note(neighbour("10.77.1.1", 1, State::confirmed), lan.now) == Confirmation{mac(1), address("10.77.1.1"), "lan0"});
  CHECK_FALSE(lan.note(neighbour("10.77.1.1", 1, State::confirmed)));
  CHECK_FALSE(lan.note(neighbour("10.77.1.1", 1, State::in_use)));
  CHECK(lan.note(neighbour("10.77.1.1", 1, State::confirmed)));
  CHECK_FALSE(lan.note(neighbour("10.77.1.1", 1, State::stale)));
  CHECK_FALSE(lan.note(silent("10.77.1.1")));
  CHECK(lan.note(neighbour("10.77.1.1", 1, State::confirmed)));
}

TEST_CASE("of devices that show ever new addresses no more than a bound is remembered, and the earliest go first") {
  Lan lan;
  const auto count = static_cast<int>(Table::most_departed) + 10;
  for (int i = 0; i < count; ++i) {
    lan.now += 1ms;
    lan.note(neighbour("10.77.1.1", i, State::stale));
    lan.table.remove(lan0, address("10.77.1.1"), lan.now);
  }
  CHECK(lan.table.size() == Table::most_departed);
  CHECK_FALSE(lan.online(9));
  CHECK(lan.online(10));
  CHECK(lan.online(count - 1));
}

TEST_CASE("other interfaces are followed from nothing") {
  Lan lan;
  lan.note(neighbour("10.77.1.1", 1, State::confirmed));
  lan.table.follow({"lan1"});
  CHECK(lan.table.size() == 0);
  lan.table.replace({{lan0, "lan0", true}, {lan1, "lan1", true}},
                    {neighbour("10.77.1.1", 1, State::confirmed), neighbour("10.77.1.2", 2, State::confirmed, lan1)}, lan.now);
  CHECK(lan.devices() == std::map<base::Mac, bool>{{mac(2), true}});
}

TEST_CASE("whatever is told in whatever order, the table is what was told last of each address") {
  Lan lan;
  std::mt19937 random(GENERATE(1U, 2U, 3U, 4U));
  const auto any = [&](unsigned count) { return static_cast<unsigned>(random() % count); };
  using Key = std::pair<unsigned, base::Address>;
  std::map<Key, Neighbour> told;
  for (int i = 0; i < 5'000; ++i) {
    lan.now += std::chrono::seconds(any(30));
    const Key key{any(2) == 0 ? lan0 : lan1, address(fmt::format("10.77.1.{}", any(20)))};
    if (const auto kind = any(100); kind < 80) {
      Neighbour one{key.first, key.second, mac(static_cast<int>(any(8))), static_cast<State>(any(5))};
      if (one.state == State::unknown) one.mac.reset();
      lan.note(one);
      if (one.state == State::unknown || one.state == State::fixed) told.erase(key);
      else told.insert_or_assign(key, one);
    } else if (kind < 98) {
      lan.table.remove(key.first, key.second, lan.now);
      told.erase(key);
    } else {
      lan.table.remove_link(key.first);
      CHECK(lan.table.set_link({key.first, key.first == lan0 ? "lan0" : "lan1", true}));
      std::erase_if(told, [&](const auto& one) { return one.first.first == key.first; });
    }
    lan.table.forget(lan.now);
    std::size_t known = 0;
    lan.table.for_each(lan.now, [&](const Device& device) {
      bool in_use = false;
      for (const auto& at : device.addresses) {
        const auto& one = told.at({device.link == "lan0" ? lan0 : lan1, at});
        REQUIRE(one.mac == device.mac);
        in_use = in_use || one.state != State::stale;
        ++known;
      }
      // One without an address is remembered only as long as it is online.
      REQUIRE((device.online || (!in_use && !device.addresses.empty())));
    });
    REQUIRE(known == told.size());
    REQUIRE(lan.table.entries() == told.size());
  }
  lan.table.remove_link(lan0);
  lan.table.remove_link(lan1);
  CHECK(lan.table.size() == 0);
}
