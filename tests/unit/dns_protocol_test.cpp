// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// What a tablet may say to the gate and gets back, by the octet, over every way there is: UDP and TCP, IPv4 and IPv6.
#include "daemon/dns/limits.hpp"
#include "tests/catch.hpp"
#include "tests/unit/dns_town.hpp"

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;

namespace {

constexpr std::uint16_t authentic_data = 0x0020, checking_disabled = 0x0010;

/// Sends `packet` over each way, and has `check` look at each answer.
void over_all_ways(Town& town, std::uint32_t view, const Bytes& packet, const std::function<void(const Told&)>& check) {
  for (const auto* address : {"127.0.0.1", "::1"}) {
    INFO("over UDP, " << address);
    Tablet tablet(address, view);
    tablet.send(packet);
    check(town.wait_for(tablet));
  }
  for (const auto* address : {"127.0.0.1", "::1"}) {
    INFO("over TCP, " << address);
    Session session(view, address);
    session.send(framed(packet));
    check(town.wait_for(session));
  }
}

Bytes with(Bytes packet, std::size_t at, std::uint8_t octet) {
  packet.at(at) = octet;
  return packet;
}

Bytes followed_by(Bytes packet, const Bytes& more) {
  packet.insert(packet.end(), more.begin(), more.end());
  return packet;
}

}  // namespace

SCENARIO("what the gate does not do it says, and what it cannot read as well: nothing of it goes on to the resolver") {
  enter_own_network();
  Town town;
  const auto plain = question({"spiele.test"});
  const auto with_edns = question({"spiele.test", rr::a, 1, true});
  const std::size_t type_at = plain.size() - 4, class_at = plain.size() - 2;
  struct Case {
    const char* what;
    Bytes packet;
    std::uint16_t rcode;
  };
  const Bytes opt{0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0};
  std::vector<Case> cases{
      {"no question", Bytes(plain.begin(), plain.begin() + 12), 1},
      {"two questions", followed_by(with(plain, 5, 2), Bytes(plain.begin() + 12, plain.end())), 1},
      {"an answer in the question", with(plain, 7, 1), 1},
      {"a name that points at itself", with(with(plain, 12, 0xc0), 13, 12), 1},
      {"a label of a kind that there is not", with(plain, 12, 0x80), 1},
      {"octets behind the end", followed_by(plain, {0}), 1},
      {"cut off", Bytes(plain.begin(), plain.end() - 1), 1},
      {"two OPT records", followed_by(with(with_edns, 11, 2), opt), 1},
      {"another version of EDNS", with(with_edns, with_edns.size() - 5, 1), 16},
      {"class CH", with(plain, class_at + 1, 3), 4},
      {"a zone transfer", with(plain, type_at + 1, 252), 4},
      {"an incremental zone transfer", with(plain, type_at + 1, 251), 4},
      {"OPT as a type", with(plain, type_at + 1, 41), 4},
  };
  for (std::uint8_t opcode = 1; opcode < 16; ++opcode)
    cases.push_back({"another opcode", with(plain, 2, static_cast<std::uint8_t>(opcode << 3U)), 4});
  for (const auto& one : cases) {
    INFO(one.what);
    // Whatever its fault, the header's opcode and id come back.
    over_all_ways(town, leisure, with(with(one.packet, 0, 0xab), 1, 0xcd), [&](const Told& answer) {
      CHECK(answer.rcode == one.rcode);
      CHECK(answer.id == 0xabcd);
      CHECK((answer.flags & 0xf800U) == (0x8000U | (one.packet[2] & 0x78U) << 8U));
      CHECK(answer.answers.empty());
    });
  }
  town.until_idle();
  CHECK(town.questions().empty());
}

SCENARIO("what is no question at all gets no answer") {
  enter_own_network();
  Town town;
  Tablet tablet("127.0.0.1", leisure);
  for (const auto& packet : {Bytes{}, Bytes(11), with(question({"spiele.test"}), 2, 0x81)}) tablet.send(packet);
  town.until_idle();
  CHECK_FALSE(tablet.answer());
  CHECK(town.questions().empty());
}

SCENARIO("names of the gateway's own, single labels and .local are answered here in every view") {
  enter_own_network();
  Town town;
  auto held = rules();
  held.lan = {{address("10.77.0.1"), 16}, {address("fd77::1"), 64}};
  town.announce(held, {2, 1}, false);
  town.until_idle();
  const std::string reverse6 = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.7.d.f.ip6.arpa";
  for (const auto view : {school, leisure, exam}) {
    const auto asked = [&](std::string_view name, std::uint16_t type, const std::function<void(const Told&)>& check) {
      INFO(name);
      over_all_ways(town, view, question({name, type}), check);
    };
    asked("schultor.internal", rr::a,
          [](const Told& answer) { CHECK(answer.addresses() == std::vector<std::string>{"10.77.0.1"}); });
    asked("schultor.internal", rr::aaaa,
          [](const Told& answer) { CHECK(answer.addresses() == std::vector<std::string>{"fd77::1"}); });
    for (const std::string& reverse : {std::string("1.0.77.10.in-addr.arpa"), reverse6})
      asked(reverse, rr::ptr, [](const Told& answer) {
        REQUIRE(answer.answers.size() == 1);
        CHECK(answer.answers[0].data == name_record("x", rr::ptr, "schultor.internal").data);
      });
    asked("drucker.local", rr::a, [](const Told& answer) { CHECK(answer.rcode == 3); });
    asked("intranet", rr::a, [&](const Told& answer) {
      CHECK(answer.rcode == (view == leisure ? 0 : 3));
      CHECK(answer.answers.empty());
    });
  }
  // ANY is no way to much for little (RFC 8482).
  over_all_ways(town, leisure, question({"spiele.test", rr::any}), [](const Told& answer) {
    REQUIRE(answer.answers.size() == 1);
    CHECK(answer.answers[0].type == rr::hinfo);
  });
  CHECK(town.questions().empty());
}

SCENARIO("every type of an allowed name passes, spelt as the tablet spelt it, known to the gate or not") {
  enter_own_network();
  Town town;
  Tablet tablet("::1", leisure);
  for (const std::uint16_t type : {rr::mx, rr::txt, rr::srv, rr::ns, rr::soa, std::uint16_t{257}, std::uint16_t{65280}}) {
    INFO(type);
    tablet.ask({"SpieLe.tEST", type});
    const auto asked = town.next_question();
    CHECK(asked.query.name == name("SpieLe.tEST"));
    // No compression: MX and SRV have room for the root's name, SOA for two.
    const Bytes data(type == rr::soa ? 22 : type == rr::ns ? 1 : 7, 0);
    town.resolve(asked, {{name("spiele.test"), type, 60, data}});
    const auto answer = town.wait_for(tablet);
    CHECK(answer.name == name("SpieLe.tEST"));
    REQUIRE(answer.answers.size() == 1);
    CHECK(answer.answers[0].type == type);
    CHECK(answer.answers[0].data == data);
  }
}

SCENARIO("the bits of DNSSEC go to the resolver and come back, with signatures for those who want them") {
  enter_own_network();
  Town town;
  Tablet tablet("127.0.0.1", leisure);
  const Record signature{name("spiele.test"), rr::rrsig, 60, Bytes{0, rr::txt, 13, 2, 0, 0, 0, 60}};
  for (const bool dnssec_ok : {false, true})
    for (const bool unchecked : {false, true})
      for (const bool wants_ad : {false, true}) {
        INFO("DO " << dnssec_ok << ", CD " << unchecked << ", AD " << wants_ad);
        auto packet = question({"spiele.test", rr::txt, 1, true, 1232, dnssec_ok, unchecked});
        if (wants_ad) packet[3] |= authentic_data;
        tablet.send(packet);
        const auto asked = town.next_question();
        CHECK(asked.query.checking_disabled == unchecked);
        CHECK(asked.query.authentic_data == wants_ad);
        REQUIRE(asked.query.edns);
        CHECK(asked.query.edns->dnssec_ok == dnssec_ok);
        const Record text{name("spiele.test"), rr::txt, 0, {2, 'h', 'i'}};
        town.send_upstream(
            asked, response(asked.packet, {{text, signature}, {}, {}, static_cast<std::uint16_t>(0x8180U | authentic_data)}));
        const auto answer = town.wait_for(tablet);
        CHECK((answer.flags & authentic_data) != 0);
        CHECK(((answer.flags & checking_disabled) != 0) == unchecked);
        CHECK(answer.answers.size() == (dnssec_ok ? 2 : 1));
        REQUIRE(answer.additional.size() == 1);
        CHECK(((answer.additional[0].ttl & 0x8000U) != 0) == dnssec_ok);
      }
}

SCENARIO("a datagram is as long as the tablet takes it and never so long that it is cut into fragments; the rest comes over TCP") {
  enter_own_network();
  Town town;
  const auto resolve = [&] {
    const auto asked = town.next_question();
    std::vector<Record> records;
    for (int i = 0; i < 200; ++i) records.push_back(address_record("spiele.test", fmt::format("198.51.100.{}", i), 0));
    town.resolve(asked, records);
  };
  Tablet tablet("127.0.0.1", leisure);
  struct Case {
    bool edns;
    std::uint16_t told;
    std::size_t longest;
  };
  for (const auto& [edns, size, longest] :
       {Case{false, 0, 512}, {true, 100, 512}, {true, 900, 900}, {true, 1232, 1232}, {true, 65535, 1232}}) {
    INFO("EDNS " << edns << ", " << size << " octets");
    // 64 addresses of 16 octets fit in 1,232; of a text that is longer nothing does.
    tablet.ask({"spiele.test", rr::a, 1, edns, size});
    resolve();
    const auto answer = town.wait_for(tablet);
    CHECK(answer.size <= longest);
    CHECK(answer.truncated() == (longest < 64 * 16));
    CHECK(answer.additional.size() == (edns ? 1 : 0));
    CHECK(answer.name == name("spiele.test"));
    tablet.ask({"spiele.test", rr::txt, 1, edns, size});
    town.resolve(town.next_question(), {{name("spiele.test"), rr::txt, 0, Bytes(1300, 'x')}});
    const auto text = town.wait_for(tablet);
    CHECK(text.truncated());
    CHECK(text.size <= longest);
  }
  Session session(leisure);
  session.ask({"spiele.test"});
  resolve();
  const auto whole = town.wait_for(session);
  CHECK_FALSE(whole.truncated());
  CHECK(whole.addresses().size() == limits::addresses);
}

SCENARIO("what the resolver cannot find out fails with the reason, and is not kept") {
  enter_own_network();
  Town town;
  Tablet tablet("127.0.0.1", leisure);
  for (const auto& [rcode, given, ede] : {std::tuple(2, -1, 22), {2, 6, 6}, {5, -1, 22}, {4, 20, 20}}) {
    INFO("rcode " << rcode << ", EDE " << given);
    tablet.ask({"spiele.test", rr::a, 1, true});
    const auto asked = town.next_question();
    Sections failed;
    failed.flags = static_cast<std::uint16_t>(0x8180 | rcode);
    if (given >= 0) failed.additional = {{Name(), rr::opt, 0, {0, 15, 0, 2, 0, static_cast<std::uint8_t>(given)}}};
    town.send_upstream(asked, response(asked.packet, failed));
    const auto answer = town.wait_for(tablet);
    CHECK(answer.rcode == 2);
    CHECK(answer.ede == ede);
  }
}
