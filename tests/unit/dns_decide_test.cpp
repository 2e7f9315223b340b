// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/decide.hpp"
#include "daemon/dns/limits.hpp"
#include "daemon/dns/pin_table.hpp"
#include "tests/catch.hpp"
#include "tests/unit/dns_packets.hpp"

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;
using std::chrono::seconds;

namespace {

Query query_of(const Asked& asked) { return read_query(question(asked)).value(); }

Decision decided(std::string_view name, std::uint32_t view = school, std::uint16_t type = rr::a) {
  return decide(rules(), view, query_of({name, type}));
}

const Time start{std::chrono::hours(1)};

}  // namespace

TEST_CASE("a question is answered by its view") {
  CHECK(decided("lernen.test") == Decision{Action::ask, school_door});
  CHECK(decided("www.LERNEN.test") == Decision{Action::ask, school_door});
  CHECK(decided("spiele.test") == Decision{Action::nx_domain});
  CHECK(decided("spiele.test", leisure) == Decision{Action::ask, 0});
  CHECK(decided("casino.test", leisure) == Decision{Action::nx_domain});
  CHECK(decided("lernen.test", leisure) == Decision{Action::ask, school_door});
  CHECK(decided("lernen.test", exam) == Decision{Action::nx_domain});
  CHECK(decided("doh.test", leisure) == Decision{Action::nx_domain});
}

TEST_CASE("the cloud is allowed in every view, for any case of its name") {
  for (const auto view : {school, leisure, exam})
    CHECK(decided("A.Cloud.MNSpro.test", view) == Decision{Action::ask, policy::cloud_door});
}

TEST_CASE("above an allowed name a refusal is NODATA, since NXDOMAIN would deny what is below") {
  CHECK(decided("unter.test") == Decision{Action::no_data});
  CHECK(decided("test") == Decision{Action::no_data});
  CHECK(decided("mnspro.test", exam) == Decision{Action::no_data});
  CHECK(decided("neben.unter.test") == Decision{Action::nx_domain});
}

TEST_CASE("a label that only looks like an allowed name is refused") {
  Query query = query_of({"lernen.test"});
  query.name = Name::from_wire(std::string("\13lernen.test\0", 13));
  CHECK(decide(rules(), school, query).action == Action::nx_domain);
  query.name = Name();
  CHECK(decide(rules(), school, query).action != Action::ask);
}

TEST_CASE("types that ask about a server, or that no records are of, are not passed on") {
  CHECK(decided("lernen.test", school, rr::https) == Decision{Action::ask, school_door});
  CHECK(decided("spiele.test", school, rr::https) == Decision{Action::nx_domain});
  CHECK(decided("lernen.test", school, rr::any) == Decision{Action::any});
  CHECK(decided("spiele.test", school, rr::any) == Decision{Action::nx_domain});
  CHECK(decided("lernen.test", school, 252) == Decision{Action::not_ours});  // AXFR
  CHECK(decided("lernen.test", school, rr::opt) == Decision{Action::not_ours});
  CHECK(decided("lernen.test", school, rr::mx).action == Action::ask);
  auto chaos = query_of({"version.bind", rr::txt});
  chaos.klass = 3;
  CHECK(decide(rules(), leisure, chaos) == Decision{Action::not_ours});
}

TEST_CASE("a kept origin's name leads to the box while the cache answers for it, in views that are steered") {
  auto held = rules();
  held.lan = {base::parse_interface_address("10.77.0.1/16").value(), base::parse_interface_address("fd77::1/64").value()};
  held.steered = {{"a.cloud.mnspro.test", 0, policy::Scope::all, {}}, {"inhalte.cloud.mnspro.test", 5, policy::Scope::school, {}}};
  constexpr std::uint32_t steered = 77;
  held.views[steered] = {held.views.at(school).profile, true};
  constexpr std::uint64_t well = 1U << 5U;
  const auto at = [&](std::string_view name, std::uint32_t view, std::uint16_t type, std::uint64_t origins) {
    return decide(held, view, query_of({name, type}), origins);
  };
  for (const auto type : {rr::a, rr::aaaa, rr::https, rr::svcb})
    CHECK(at("Inhalte.cloud.MNSpro.test", steered, type, well) == Decision{Action::steered});
  // What is not well, or not for this view, is asked for as ever.
  const Decision ask{Action::ask, policy::cloud_door};
  auto soon_again = ask;
  soon_again.kept = true;
  CHECK(at("inhalte.cloud.mnspro.test", steered, rr::a, 0) == soon_again);
  CHECK(at("inhalte.cloud.mnspro.test", steered, rr::a, ~well) == soon_again);
  CHECK(at("inhalte.cloud.mnspro.test", school, rr::a, well) == ask);
  CHECK(at("x.inhalte.cloud.mnspro.test", steered, rr::a, ~std::uint64_t{0}) == ask);
  CHECK(at("inhalte.cloud.mnspro.test", steered, rr::mx, well).action == Action::ask);
  CHECK(at("a.cloud.mnspro.test", school, rr::a, 1) == Decision{Action::steered});
  CHECK(at("a.cloud.mnspro.test", exam, rr::a, 1) == Decision{Action::steered});

  const auto answered = [&](std::uint16_t type) {
    const auto query = query_of({"inhalte.cloud.mnspro.test", type, 1, true});
    return told(write_answer(query, answer_to(decide(held, steered, query, well), held, query), 1232));
  };
  CHECK(answered(rr::a).addresses() == std::vector<std::string>{"10.77.0.1"});
  CHECK(answered(rr::aaaa).addresses() == std::vector<std::string>{"fd77::1"});
  CHECK(answered(rr::a).answers.at(0).ttl == 5);
  const auto binding = answered(rr::https);
  CHECK(binding.rcode == 0);
  CHECK(binding.answers.empty());
  REQUIRE(binding.authority.size() == 1);
  CHECK(binding.authority[0].ttl == 5);
  held.lan.pop_back();
  CHECK(answered(rr::aaaa).answers.empty());
  CHECK(answered(rr::aaaa).authority.size() == 1);
}

TEST_CASE("special names are answered by the gate itself, in every view alike") {
  auto held = rules();
  held.lan = {base::parse_interface_address("10.77.0.1/16").value(), base::parse_interface_address("fd77::1/64").value()};
  const auto answered = [&](std::string_view asked, std::uint16_t type, std::uint32_t view) {
    const auto query = query_of({asked, type, 1, true});
    const auto decision = decide(held, view, query);
    REQUIRE(decision.action != Action::ask);
    return told(write_answer(query, answer_to(decision, held, query), 1232));
  };
  for (const auto view : {school, leisure, exam}) {
    CHECK(answered("schultor.internal", rr::a, view).addresses() == std::vector<std::string>{"10.77.0.1"});
    CHECK(answered("Schultor.Internal", rr::aaaa, view).addresses() == std::vector<std::string>{"fd77::1"});
    const auto none = answered("schultor.internal", rr::https, view);
    CHECK(none.rcode == 0);
    CHECK(none.answers.empty());
    CHECK(none.authority.size() == 1);
    const auto reverse = answered("1.0.77.10.in-addr.arpa", rr::ptr, view);
    REQUIRE(reverse.answers.size() == 1);
    CHECK(reverse.answers[0].data == name_record("x", rr::ptr, "schultor.internal").data);
    CHECK(answered("1.0.77.10.in-addr.arpa", rr::a, view).answers.empty());
    CHECK(answered("localhost", rr::aaaa, view).addresses() == std::vector<std::string>{"::1"});
    CHECK(answered("_dns.resolver.arpa", rr::svcb, view).rcode == 0);
    CHECK(answered("_dns.resolver.arpa", rr::svcb, view).answers.empty());
    for (const auto* nothing : {"drucker.local", "x.home.arpa", "2.1.168.192.in-addr.arpa", "abc.onion"})
      CHECK(answered(nothing, rr::a, view).rcode == 3);
  }
}

TEST_CASE("a single label is never asked of the resolver, but for what a validating client needs") {
  CHECK(decided("intranet", leisure) == Decision{Action::no_type});
  CHECK(decided("intranet", school) == Decision{Action::nx_domain});
  CHECK(decided("de", leisure, rr::ds) == Decision{Action::ask});
  CHECK(decided("", leisure, rr::dnskey) == Decision{Action::ask});
  CHECK(decided("", school, rr::dnskey) == Decision{Action::ask});
  CHECK(decided("test", school, rr::ds) == Decision{Action::ask});
  CHECK(decided("de", school, rr::ds) == Decision{Action::nx_domain});
  CHECK(decided("spiele.test", school, rr::dnskey) == Decision{Action::nx_domain});
  auto held = rules();
  held.local = patterns({"drucker"});
  CHECK(decide(held, leisure, query_of({"drucker"})).action == Action::ask);
}

TEST_CASE("safe search asks for another name, for types that browsers use, and not in the cloud") {
  auto held = rules();
  held.profiles[1].safe_search = {true, policy::YouTube::moderate};
  const auto asked = [&](std::string_view name, std::uint16_t type = rr::a) {
    return decide(held, leisure, query_of({name, type}));
  };
  for (const auto type : {rr::a, rr::aaaa, rr::https}) {
    CHECK(asked("www.google.de", type) == Decision{Action::ask, 0, "forcesafesearch.google.com"});
    CHECK(asked("www.YouTube.com", type).in_place == "restrictmoderate.youtube.com");
  }
  CHECK(asked("www.google.de", rr::txt) == Decision{Action::no_type});
  CHECK(asked("www.google.de", rr::svcb) == Decision{Action::no_type});
  CHECK(asked("mail.google.com").in_place.empty());
  CHECK(decide(held, school, query_of({"www.google.de"})).action == Action::nx_domain);
  held.cloud = patterns({"google.de"});
  CHECK(asked("www.google.de") == Decision{Action::ask, policy::cloud_door});
}

TEST_CASE("without a view there is no answer, not even to a malformed question") {
  CHECK(decided("lernen.test", 0) == Decision{Action::drop});
  CHECK(decided("lernen.test", 4) == Decision{Action::drop});
  Query faulty;
  faulty.fault = Rcode::form_error;
  CHECK(decide(rules(), 0, faulty) == Decision{Action::drop});
  CHECK(decide(rules(), school, faulty) == Decision{Action::fault});
}

TEST_CASE("refusals say that they are, and ANY gets little") {
  const auto query = query_of({"spiele.test", rr::a, 1, true});
  const auto as_told = [&](Action action) { return told(write_answer(query, answer_to({action}, rules(), query), 1232)); };
  CHECK(as_told(Action::nx_domain).rcode == 3);
  CHECK(as_told(Action::nx_domain).ede == 17);
  CHECK(as_told(Action::no_data).rcode == 0);
  CHECK(as_told(Action::no_data).ede == 17);
  CHECK(as_told(Action::no_type).rcode == 0);
  CHECK(as_told(Action::no_type).ede == -1);
  CHECK(as_told(Action::not_ours).rcode == 4);
  REQUIRE(as_told(Action::any).answers.size() == 1);
  CHECK(as_told(Action::any).answers[0].type == rr::hinfo);
}

TEST_CASE("a pin is missing when an answer would outlive it or half its life is gone") {
  PinTable pins(100);
  const auto host = address("198.51.100.20");
  CHECK(pins.missing(host, school_door | exam_door, seconds(300), start) == (school_door | exam_door));
  pins.pinned({host, school_door, seconds(360)}, start, start);
  CHECK(pins.missing(host, school_door | exam_door, seconds(300), start) == exam_door);
  CHECK(pins.missing(host, school_door, seconds(300), start + seconds(55)) == 0);
  CHECK(pins.missing(host, school_door, seconds(300), start + seconds(56)) == school_door);
  CHECK(pins.missing(host, school_door, seconds(0), start + seconds(180)) == 0);
  CHECK(pins.missing(host, school_door, seconds(0), start + seconds(181)) == school_door);
  CHECK(pins.left(host, school_door, start + seconds(60)) == seconds(300));
  CHECK(pins.left(host, school_door | exam_door, start) == seconds(0));
  CHECK(pins.left(host, school_door, start + seconds(400)) == seconds(0));
  // A shorter pin does not shorten one that lives longer.
  pins.pinned({host, school_door, seconds(60)}, start, start);
  CHECK(pins.left(host, school_door, start) == seconds(360));
  pins.forget();
  CHECK(pins.missing(host, school_door, seconds(0), start) == school_door);
}

TEST_CASE("all doors of the cloud live a day, and answers through them alone may be kept an hour") {
  for (const policy::Doors doors :
       {policy::cloud_door, policy::port_class_door(0), policy::port_class_door(15) | policy::cloud_door}) {
    CHECK(pin_lifetime(doors) == limits::cloud_pin);
    CHECK(highest_ttl(doors) == limits::cloud_ttl_cap);
    CHECK(highest_ttl(doors | school_door) == limits::ttl_cap);
  }
  for (const policy::Doors doors : {policy::Doors{0}, school_door, policy::Doors{1} << 63U}) {
    CHECK(pin_lifetime(doors) == limits::ttl_cap + limits::pin_grace);
    CHECK(highest_ttl(doors) == limits::ttl_cap);
  }
}

TEST_CASE("the table of pins is bounded and makes room of what has ended") {
  PinTable pins(PinTable::slots_of_bucket);
  for (int i = 0; i < 20; ++i) pins.pinned({address(fmt::format("198.51.100.{}", i)), 1, seconds(60)}, start, start);
  CHECK(pins.size(start) == PinTable::slots_of_bucket);
  CHECK(pins.left(address("198.51.100.0"), 1, start) == seconds(60));
  CHECK(pins.left(address("198.51.100.19"), 1, start) == seconds(0));
  pins.pinned({address("198.51.100.99"), 1, seconds(60)}, start + seconds(61), start + seconds(61));
  CHECK(pins.size(start + seconds(61)) == 1);
  CHECK(pins.left(address("198.51.100.99"), 1, start + seconds(61)) == seconds(60));
}

TEST_CASE("pins in memory that outlives the table are known to the next one, if they mean the same") {
  PinTable::Head head{};
  std::vector<PinTable::Slot> slots(64);
  const auto host = address("198.51.100.20");
  {
    PinTable pins(&head, slots);
    pins.keep_for({7, 1});
    pins.pinned({host, school_door | exam_door, seconds(360)}, start, start);
  }
  {
    PinTable pins(&head, slots);
    CHECK(pins.meaning() == PinMeaning{7, 1});
    pins.keep_for({7, 1});
    CHECK(pins.left(host, school_door | exam_door, start + seconds(60)) == seconds(300));
    CHECK(pins.left(address("2001:db8::1"), school_door, start) == seconds(0));
  }
  for (const auto& other : {PinMeaning{8, 1}, PinMeaning{8, 2}, PinMeaning{7, 1}}) {
    PinTable pins(&head, slots);
    pins.keep_for(other);
    CHECK(pins.size(start) == 0);
    pins.pinned({host, school_door, seconds(60)}, start, start);
    CHECK(pins.size(start) == 1);
  }
}
