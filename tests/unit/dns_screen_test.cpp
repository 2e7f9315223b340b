// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// What of the resolver's answer is told to a view.
#include "daemon/dns/limits.hpp"
#include "daemon/dns/screen.hpp"
#include "daemon/dns/svcb.hpp"
#include "daemon/lists/build.hpp"
#include "tests/catch.hpp"
#include "tests/unit/dns_packets.hpp"

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;

namespace {

using Texts = std::vector<std::string>;

Bytes octets_of(std::initializer_list<std::string_view> addresses) {
  Bytes all;
  for (const auto text : addresses) {
    const auto parsed = address(text);
    all.insert(all.end(), parsed.bytes().begin(), parsed.bytes().end());
  }
  return all;
}

ServiceBinding::Param hint4(std::initializer_list<std::string_view> addresses) { return {svc_key::ipv4hint, octets_of(addresses)}; }
ServiceBinding::Param hint6(std::initializer_list<std::string_view> addresses) { return {svc_key::ipv6hint, octets_of(addresses)}; }
const ServiceBinding::Param alpn{1, {2, 'h', '3'}};
const ServiceBinding::Param ech{svc_key::ech, {1, 2, 3}};

Record https(std::string_view owner, std::uint16_t priority, std::string_view target, std::vector<ServiceBinding::Param> params) {
  return {name(owner), rr::https, 300, write_service_binding({priority, name(target), std::move(params)})};
}

const Record signature_over_https{name("lernen.test"), rr::rrsig, 300, Bytes{0, 65, 8, 2, 0, 0, 1, 44}};

struct Seen {
  Outcome outcome = Outcome::passes;
  Texts pinned;
  Answer answer;

  [[nodiscard]] std::vector<ServiceBinding> bindings() const {
    std::vector<ServiceBinding> all;
    for (const auto& record : answer.answers)
      if (record.type == rr::https) all.push_back(read_service_binding(record).value());
    return all;
  }
  [[nodiscard]] Texts addresses() const {
    Texts all;
    for (const auto& record : answer.answers)
      if (const auto one = address_of(record)) all.push_back(base::to_string(*one));
    return all;
  }
};

policy::GateRules school_rules() {
  auto made = rules();
  made.lan = {base::parse_interface_address("10.77.0.1/16").value(), base::parse_interface_address("2001:db8:77::1/64").value()};
  made.local = patterns({"schule.internal"});
  made.profiles[0].allow = patterns({"lernen.test", "tief.unter.test", "schule.internal"});
  return made;
}

Seen seen(const Asked& asked, std::vector<Record> records, std::uint32_t view = school) {
  const auto packet = question(asked);
  const auto query = read_query(packet).value();
  Seen out;
  out.answer = read_response(response(packet, {std::move(records), {}, {}, 0x81a0}), query).value();
  const auto screened = screen(school_rules(), view, query, out.answer);
  out.outcome = screened.outcome;
  for (const auto& one : screened.addresses) out.pinned.push_back(base::to_string(one));
  return out;
}

Seen seen_https(std::vector<Record> records, std::uint32_t view = school) {
  return seen({"lernen.test", rr::https, 1, true, 1232, true}, std::move(records), view);
}

}  // namespace

TEST_CASE("hints are pinned like addresses, and an unchanged set keeps its signature") {
  const auto whole =
      seen_https({https("lernen.test", 1, "", {alpn, hint4({"198.51.100.20", "198.51.100.21"}), hint6({"2001:db8:51::20"})}),
                  signature_over_https});
  CHECK(whole.outcome == Outcome::passes);
  CHECK(whole.pinned == Texts{"198.51.100.20", "198.51.100.21", "2001:db8:51::20"});
  CHECK(whole.answer.answers.size() == 2);
  CHECK(whole.answer.authentic_data);
}

TEST_CASE("a hint that may not be pinned is taken out, and with it the signature and AD") {
  const auto some =
      seen_https({https("lernen.test", 1, "", {alpn, hint4({"10.77.0.5", "198.51.100.20", "127.0.0.1"}), hint6({"fe80::1"})}),
                  signature_over_https});
  CHECK(some.pinned == Texts{"198.51.100.20"});
  REQUIRE(some.bindings().size() == 1);
  CHECK(some.bindings()[0].find(svc_key::ipv4hint)->value == octets_of({"198.51.100.20"}));
  CHECK(some.bindings()[0].find(svc_key::ipv6hint) == nullptr);
  CHECK(some.answer.answers.size() == 1);
  CHECK_FALSE(some.answer.authentic_data);
  // What the record calls mandatory cannot be taken out of it: the record goes, and pins nothing.
  const auto none =
      seen_https({https("lernen.test", 1, "", {{svc_key::mandatory, {0, 6}}, hint4({"198.51.100.20"}), hint6({"fe80::1"})})});
  CHECK(none.outcome == Outcome::empty);
  CHECK(none.pinned.empty());
}

TEST_CASE("ech goes in a listed profile and stays in an open one; a designated resolver is never told in a listed one") {
  const auto record = https("lernen.test", 1, "", {alpn, ech});
  CHECK(seen_https({record}).bindings().at(0).find(svc_key::ech) == nullptr);
  CHECK(seen_https({record}).bindings().at(0).find(1) != nullptr);
  CHECK(seen_https({record}, leisure).bindings().at(0).find(svc_key::ech) != nullptr);
  const auto must = https("lernen.test", 1, "", {{svc_key::mandatory, {0, 5}}, ech});
  CHECK(seen_https({must}).outcome == Outcome::empty);
  CHECK(seen_https({https("lernen.test", 1, "", {{svc_key::dohpath, {'/'}}})}).outcome == Outcome::empty);
}

TEST_CASE("a service's target must be a name that the view may ask for itself") {
  for (const std::uint16_t priority : {std::uint16_t{0}, std::uint16_t{1}}) {
    INFO(priority);
    CHECK(seen_https({https("lernen.test", priority, "www.lernen.test", {})}).bindings().size() == 1);
    CHECK(seen_https({https("lernen.test", priority, "cloud.mnspro.test", {})}).bindings().size() == 1);
    CHECK(seen_https({https("lernen.test", priority, "spiele.test", {})}).outcome == Outcome::empty);
    CHECK(seen_https({https("lernen.test", priority, "doh.test", {})}).outcome == Outcome::empty);
    CHECK(seen_https({https("lernen.test", priority, "drucker.local", {})}, leisure).outcome == Outcome::empty);
    CHECK(seen_https({https("lernen.test", priority, "spiele.test", {})}, leisure).bindings().size() == 1);
    CHECK(seen_https({https("lernen.test", priority, "casino.test", {})}, leisure).outcome == Outcome::empty);
  }
  // One bad record does not take the others with it.
  const auto two = seen_https({https("lernen.test", 1, "spiele.test", {hint4({"198.51.100.66"})}),
                               https("lernen.test", 2, "", {hint4({"198.51.100.20"})})});
  CHECK(two.pinned == Texts{"198.51.100.20"});
  CHECK(two.bindings().size() == 1);
  const auto half =
      seen_https({https("lernen.test", 1, "", {{svc_key::mandatory, {0, 6}}, hint4({"198.51.100.66"}), hint6({"fe80::1"})}),
                  https("lernen.test", 2, "", {hint4({"198.51.100.20"})})});
  CHECK(half.pinned == Texts{"198.51.100.20"});
}

TEST_CASE("an alias has no parameters, and behind a CNAME the record's owner is its target") {
  const auto alias = seen_https({https("lernen.test", 0, "www.lernen.test", {hint4({"198.51.100.66"})})});
  CHECK(alias.pinned.empty());
  CHECK(alias.bindings().at(0).params.empty());
  const std::vector<Record> chain{name_record("lernen.test", rr::cname, "edge.cdn.test"),
                                  https("edge.cdn.test", 1, "", {hint4({"198.51.100.20"})})};
  CHECK(seen_https(chain).outcome == Outcome::empty);
  CHECK(seen_https(chain, leisure).pinned == Texts{"198.51.100.20"});
}

TEST_CASE("a malformed service binding takes its whole set with it") {
  const auto good = https("lernen.test", 1, "", {hint4({"198.51.100.20"})});
  const auto with = [&](Bytes data) { return seen_https({good, {name("lernen.test"), rr::https, 300, std::move(data)}}); };
  for (const auto& data :
       {Bytes{0}, Bytes{0, 1}, Bytes{0, 1, 0, 0, 4, 0, 0}, Bytes{0, 1, 0, 0, 4, 0, 3, 1, 2, 3}, Bytes{0, 1, 0, 0, 4, 0, 4, 1, 2, 3},
        Bytes{0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0}, Bytes{0, 1, 0, 0, 2, 0, 0, 0, 1, 0, 0}, Bytes{0, 1, 0, 0, 0, 0, 2, 0, 4},
        Bytes{0, 1, 0, 0, 0, 0, 1, 0}, Bytes{0, 1, 0, 0, 0, 0, 2, 0, 0}, Bytes{0, 1, 0xc0, 0}, Bytes{0, 1, 1, 'a', 0xc0, 0}}) {
    INFO(data.size());
    CHECK(with(data).outcome == Outcome::empty);
    CHECK(with(data).pinned.empty());
  }
  CHECK(with({0, 2, 0}).bindings().size() == 2);
}

TEST_CASE("addresses that lead inside are not told, the gateway's own and the school's networks included") {
  const auto mixed =
      seen({"lernen.test"}, {address_record("lernen.test", "10.77.0.1"), address_record("lernen.test", "192.168.1.1"),
                             address_record("lernen.test", "198.51.100.20")});
  CHECK(mixed.addresses() == Texts{"198.51.100.20"});
  CHECK(mixed.pinned == Texts{"198.51.100.20"});
  CHECK_FALSE(mixed.answer.authentic_data);
  CHECK(seen({"lernen.test", rr::aaaa}, {address_record("lernen.test", "2001:db8:77::20")}).outcome == Outcome::empty);
  CHECK(seen({"lernen.test", rr::aaaa}, {address_record("lernen.test", "2001:db8:51::20")}).pinned.size() == 1);
}

TEST_CASE("the school's own zones may lead inside, but not nowhere, and no name outside leads in over them") {
  CHECK(seen({"plan.schule.internal"}, {address_record("plan.schule.internal", "10.77.0.9")}).pinned == Texts{"10.77.0.9"});
  CHECK(seen({"plan.schule.internal"}, {address_record("plan.schule.internal", "127.0.0.1")}).outcome == Outcome::empty);
  CHECK(seen({"plan.schule.internal"}, {address_record("plan.schule.internal", "10.77.0.1")}).outcome == Outcome::empty);
  CHECK(seen({"lernen.test"},
             {name_record("lernen.test", rr::cname, "plan.schule.internal"), address_record("plan.schule.internal", "10.77.0.9")})
            .outcome == Outcome::empty);
  CHECK(seen({"plan.schule.internal"},
             {name_record("plan.schule.internal", rr::cname, "x.lernen.test"), address_record("x.lernen.test", "10.77.0.9")})
            .outcome == Outcome::empty);
}

TEST_CASE("of very many addresses only so many are told") {
  std::vector<Record> records;
  for (int i = 0; i < 200; ++i) records.push_back(address_record("lernen.test", fmt::format("198.51.100.{}", i)));
  const auto many = seen({"lernen.test"}, records);
  CHECK(many.pinned.size() == limits::addresses);
  CHECK(many.addresses().size() == limits::addresses);
}

TEST_CASE("a chain through a refused name is refused in an open profile; in a listed one the question's name decides") {
  const auto through = [](std::string_view from, std::string_view by, std::uint32_t view) {
    return seen({from},
                {name_record(from, rr::cname, by), name_record(by, rr::cname, "edge.cdn.test"),
                 address_record("edge.cdn.test", "198.51.100.20")},
                view)
        .outcome;
  };
  CHECK(through("frei.test", "x.casino.test", leisure) == Outcome::refused);
  CHECK(through("frei.test", "harmlos.test", leisure) == Outcome::passes);
  CHECK(through("lernen.test", "x.casino.test", school) == Outcome::passes);
  CHECK(through("lernen.test", "x.doh.test", school) == Outcome::refused);
  CHECK(through("frei.test", "x.doh.test", leisure) == Outcome::refused);
  for (const auto view : {school, leisure, exam}) CHECK(through("cloud.mnspro.test", "x.doh.test", view) == Outcome::passes);
}

TEST_CASE("names in a chain are judged by lists as the question's is") {
  lists::Collection collection;
  const auto list = collection.add_list("games").value();
  collection.add_name(list, "x.game.test", lists::Scope::both);
  const auto image = lists::build(collection).value();
  const auto table = std::make_shared<const lists::Table>(lists::Table::over(image).value());
  const auto through = [&](std::string_view by, std::uint32_t view, bool never) {
    auto held = school_rules();
    (never ? held.never_lists : held.profiles[1].block_lists) = policy::Categories({{"games", {}, list}});
    held.table = table->identity();
    const auto asked = view == leisure ? "frei.test" : "lernen.test";
    const auto packet = question({asked});
    const auto query = read_query(packet).value();
    auto answer =
        read_response(response(packet, {{name_record(asked, rr::cname, by), address_record(by, "198.51.100.20")}, {}, {}, 0x81a0}),
                      query)
            .value();
    return screen(Rulebook::with_table(held, table).value(), view, query, answer).outcome;
  };
  CHECK(through("www.x.game.test", leisure, false) == Outcome::refused);
  CHECK(through("y.game.test", leisure, false) == Outcome::passes);
  CHECK(through("www.x.game.test", school, false) == Outcome::passes);
  CHECK(through("www.x.game.test", school, true) == Outcome::refused);
  auto other = school_rules();
  other.table = lists::Digest{};
  CHECK_FALSE(Rulebook::with_table(other, table));
  CHECK_FALSE(Rulebook::with_table(school_rules(), table));
}

TEST_CASE("a DNAME leads on, with its CNAME or without, and is told to who validates") {
  const std::vector<Record> with{name_record("lernen.test", rr::dname, "neu.test"),
                                 name_record("www.lernen.test", rr::cname, "www.neu.test"),
                                 address_record("www.neu.test", "198.51.100.20")};
  const std::vector<Record> without{with[0], with[2]};
  for (const auto& records : {with, without}) {
    const auto plain = seen({"www.lernen.test"}, records);
    CHECK(plain.pinned == Texts{"198.51.100.20"});
    REQUIRE(plain.answer.answers.size() == 2);
    CHECK(plain.answer.answers[0].type == rr::cname);
    const auto validating = seen({"www.lernen.test", rr::a, 1, true, 1232, true}, records);
    REQUIRE(validating.answer.answers.size() == 3);
    CHECK(validating.answer.answers[0].type == rr::dname);
    CHECK(target_of(validating.answer.answers[1]) == name("www.neu.test"));
  }
  const std::vector<Record> blocked{name_record("frei.test", rr::dname, "casino.test"),
                                    address_record("www.casino.test", "198.51.100.20")};
  CHECK(seen({"www.frei.test"}, blocked, leisure).outcome == Outcome::refused);
  // One that leads below itself ends, and one that makes a name too long is none.
  CHECK(seen({"a.lernen.test"}, {name_record("lernen.test", rr::dname, "b.lernen.test")}).pinned.empty());
  const std::string deep = std::string(63, 'x') + '.' + std::string(63, 'y') + '.' + std::string(63, 'z');
  CHECK(seen({deep + ".lernen.test"}, {name_record("lernen.test", rr::dname, std::string(63, 'q') + ".test")})
            .answer.answers.empty());
}
