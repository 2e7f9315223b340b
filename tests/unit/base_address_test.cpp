// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/address.hpp"
#include "tests/catch.hpp"

#include <string>
#include <vector>

using namespace schultor::base;

TEST_CASE("a MAC address is read in every usual spelling and written in one") {
  for (const auto* text : {"02:77:00:00:00:aF", "02-77-00-00-00-AF", "0277.0000.00af", "0277000000AF"}) {
    INFO(text);
    const auto mac = parse_mac(text);
    REQUIRE(mac);
    CHECK(to_string(*mac) == "02:77:00:00:00:af");
    CHECK(is_locally_administered(*mac));
  }
  CHECK_FALSE(is_locally_administered(*parse_mac("00:1b:21:00:00:01")));
}

TEST_CASE("what is no MAC address is refused with an example") {
  for (const auto* text : {"", "02:77:00:00:00", "02:77:00:00:00:0g", "02:77-00:00:00:01", "0277.0000.000", "02 77 00 00 00 01",
                           "02:77:00:00:00:01:02", "0277:0000:0001", "02770000000100", ":2:77:00:00:00:01", "02770000000"}) {
    INFO(text);
    const auto mac = parse_mac(text);
    REQUIRE_FALSE(mac);
    CHECK(mac.error().what().find("02:77:00:00:00:01") != std::string::npos);
  }
}

TEST_CASE("addresses of both families are read and written canonically") {
  CHECK(to_string(*parse_address("10.77.0.1")) == "10.77.0.1");
  CHECK(to_string(*parse_address("FD77:0:0::01")) == "fd77::1");
  CHECK(parse_address("10.77.0.1")->bytes().size() == 4);
  CHECK(parse_address("::ffff:10.77.0.1")->family == Family::ipv6);
  for (const auto* text : {"", "10.77.0", "10.77.0.256", "10.77.0.1 ", "fd77::1::2", "lan0", "010.077.0.1"}) {
    INFO(text);
    CHECK_FALSE(parse_address(text));
  }
  CHECK_FALSE(parse_address(std::string_view("10.77.0.1\0x", 11)));
}

TEST_CASE("an address comes back from the octets it goes on the wire with") {
  for (const auto* text : {"10.77.0.1", "0.0.0.0", "2001:db8:51::10"}) {
    const auto address = *parse_address(text);
    CHECK(address_from_bytes(address.bytes()) == address);
  }
}

TEST_CASE("a prefix holds its addresses and no others") {
  const auto prefix = *parse_prefix("10.78.64.0/18");
  CHECK(contains(prefix, *parse_address("10.78.64.0")));
  CHECK(contains(prefix, *parse_address("10.78.127.255")));
  CHECK_FALSE(contains(prefix, *parse_address("10.78.128.0")));
  CHECK_FALSE(contains(prefix, *parse_address("10.78.63.255")));
  CHECK_FALSE(contains(prefix, *parse_address("::ffff:10.78.64.0")));
  CHECK(to_string(last_address(prefix)) == "10.78.127.255");
  CHECK(contains(*parse_prefix("0.0.0.0/0"), *parse_address("255.255.255.255")));
  CHECK(to_string(last_address(*parse_prefix("fd77::/61"))) == "fd77::7:ffff:ffff:ffff:ffff");
  CHECK(to_string(*parse_prefix("fd77::1")) == "fd77::1/128");
}

TEST_CASE("a prefix with host bits is refused, and the network named that was meant") {
  const auto prefix = parse_prefix("10.78.0.1/24");
  REQUIRE_FALSE(prefix);
  CHECK(prefix.error().what().find("10.78.0.0/24") != std::string::npos);
  for (const auto* text : {"10.78.0.0/33", "fd77::/129", "10.78.0.0/", "10.78.0.0/-1", "10.78.0.0/+8", "/8", "10.78.0.0/8/8"}) {
    INFO(text);
    CHECK_FALSE(parse_prefix(text));
  }
}

TEST_CASE("an interface's address keeps its host bits and needs a length") {
  CHECK(to_string(*parse_interface_address("10.77.0.1/16")) == "10.77.0.1/16");
  CHECK(to_string(*parse_interface_address("fd77::1/64")) == "fd77::1/64");
  CHECK_FALSE(parse_interface_address("10.77.0.1"));
}

TEST_CASE("an endpoint is an address and a port, IPv6 in brackets") {
  CHECK(to_string(*parse_endpoint("127.0.0.1:5335")) == "127.0.0.1:5335");
  CHECK(to_string(*parse_endpoint("[::1]:53")) == "[::1]:53");
  for (const auto* text :
       {"127.0.0.1", "::1:53", "[127.0.0.1]:53", "127.0.0.1:65536", "127.0.0.1:", ":53", "[::1:53", "localhost:53"}) {
    INFO(text);
    CHECK_FALSE(parse_endpoint(text));
  }
}
