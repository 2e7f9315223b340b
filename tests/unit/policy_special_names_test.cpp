// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/address_reach.hpp"
#include "daemon/policy/special_names.hpp"
#include "tests/catch.hpp"

using namespace schultor;
using namespace schultor::policy;

namespace {

GateRules school() {
  GateRules rules;
  for (const auto* text : {"10.77.0.1/16", "fd77::1/64", "2001:db8:77::1/64"})
    rules.lan.push_back(base::parse_interface_address(text).value());
  rules.local = NamePatterns({parse_pattern("schule.internal", {}).value(), parse_pattern("drucker", {}).value()});
  return rules;
}

std::optional<Special> special(std::string_view name) {
  const auto found = special_name(school(), name);
  return found ? std::optional(found->kind) : std::nullopt;
}

Reach reach(std::string_view address) { return reach_of(school().lan, base::parse_address(address).value()); }

}  // namespace

TEST_CASE("the gateway's own names are known, and nobody else's") {
  CHECK(special("schultor.internal") == Special::gateway);
  CHECK(special("www.schultor.internal") == Special::absent);
  CHECK(special("1.0.77.10.in-addr.arpa") == Special::gateway_host);
  CHECK(special("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.7.d.f.ip6.arpa") == Special::gateway_host);
  CHECK(special("2.0.77.10.in-addr.arpa") == Special::absent);
  CHECK(reverse_name(base::parse_address("2001:db8::1").value()) ==
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST_CASE("names of RFC 6761, 6303 and their kin never reach the resolver") {
  for (const auto* name : {"localhost", "a.localhost"}) CHECK(special(name) == Special::loopback);
  for (const auto* name : {"resolver.arpa", "_dns.resolver.arpa", "a._dns.resolver.arpa"}) CHECK(special(name) == Special::empty);
  for (const auto* name : {"invalid", "x.invalid", "abc.onion", "drucker.local", "x.alt", "x.home.arpa", "firma.internal",
                           "1.2.3.172.in-addr.arpa.local", "5.31.172.in-addr.arpa", "1.0.0.127.in-addr.arpa",
                           "8.0.0.0.in-addr.arpa", "1.1.168.192.in-addr.arpa", "9.254.169.in-addr.arpa", "1.127.100.in-addr.arpa",
                           "1.8.e.f.ip6.arpa", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa"}) {
    INFO(name);
    CHECK(special(name) == Special::absent);
  }
  for (const auto* name : {"test", "", "de", "intranet"}) CHECK(special(name) == Special::unqualified);
  for (const auto* name : {"lernen.test", "notlocal.de", "xlocalhost.de", "1.1.32.172.in-addr.arpa", "1.1.15.172.in-addr.arpa",
                           "1.128.100.in-addr.arpa", "1.2.0.192.in-addr.arpa", "x10.in-addr.arpa", "in-addr.arpa",
                           "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa"}) {
    INFO(name);
    CHECK(special(name) == std::nullopt);
  }
}

TEST_CASE("above a name that exists here nothing is denied (RFC 8020), and the school's own zones are no special names") {
  CHECK(special("internal") == Special::empty);
  CHECK(special("10.in-addr.arpa") == Special::empty);
  CHECK(special("77.10.in-addr.arpa") == Special::empty);
  CHECK(special("78.10.in-addr.arpa") == Special::absent);
  CHECK(special("plan.schule.internal") == std::nullopt);
  CHECK(special("drucker") == std::nullopt);
}

TEST_CASE("where an address leads") {
  for (const auto* nowhere : {"0.0.0.0", "127.0.0.1", "169.254.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
                              "::", "::1", "::ffff:198.51.100.1", "fe80::1", "ff02::1", "2002:a4d:1::1", "2001::1",
                              "64:ff9b::10.0.0.1", "10.77.0.1", "fd77::1", "2001:db8:77::1"}) {
    INFO(nowhere);
    CHECK(reach(nowhere) == Reach::nowhere);
  }
  for (const auto* inside :
       {"10.77.0.2", "10.1.2.3", "100.64.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd77::2", "2001:db8:77::ffff"}) {
    INFO(inside);
    CHECK(reach(inside) == Reach::inside);
  }
  for (const auto* outside : {"198.51.100.20", "203.0.113.1", "192.0.2.1", "172.32.0.1", "9.9.9.9", "2001:db8:51::20",
                              "2620:fe::fe", "64:ff9b::9.9.9.9", "2001:db8:78::1"}) {
    INFO(outside);
    CHECK(reach(outside) == Reach::outside);
  }
}
