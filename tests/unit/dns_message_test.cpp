// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/limits.hpp"
#include "tests/catch.hpp"
#include "tests/unit/dns_packets.hpp"

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;

namespace {

/// As `dig +bufsize=1232 wWw.LerNen.test AAAA` sends it, with a cookie.
const Bytes dig_packet{0xbe, 0xef, 0x01, 0x20, 0, 1,   0,   0,   0,   0, 0, 1,    3, 'w', 'W', 'w', 6,    'L',  'e',
                       'r',  'N',  'e',  'n',  4, 't', 'e', 's', 't', 0, 0, 0x1c, 0, 1,   0,   0,   0x29, 0x04, 0xd0,
                       0,    0,    0x80, 0,    0, 12,  0,   10,  0,   8, 1, 2,    3, 4,   5,   6,   7,    8};

Query query_of(const Asked& asked) { return read_query(question(asked)).value(); }

}  // namespace

TEST_CASE("a question as tablets send it is read") {
  const auto query = read_query(dig_packet);
  REQUIRE(query);
  CHECK(query->fault == Rcode::no_error);
  CHECK(query->id == 0xbeef);
  CHECK(query->recursion_desired);
  CHECK(query->authentic_data);
  CHECK_FALSE(query->checking_disabled);
  CHECK(query->name == name("wWw.LerNen.test"));
  CHECK(query->type == rr::aaaa);
  CHECK(query->edns == Edns{1232, true});
}

TEST_CASE("what is no question gets no answer, and a malformed one FORMERR") {
  CHECK_FALSE(read_query(Bytes{}));
  CHECK_FALSE(read_query(Bytes(11)));
  auto answer = dig_packet;
  answer[2] |= 0x80;
  CHECK_FALSE(read_query(answer));
  // Every cut below the header is dropped, every other one is a fault.
  for (std::size_t length = 12; length < dig_packet.size(); ++length) {
    const auto cut = read_query(ByteView(dig_packet).first(length));
    REQUIRE(cut);
    CHECK(cut->fault == Rcode::form_error);
  }
  auto faulty = [](std::size_t offset, std::uint8_t value) {
    auto packet = dig_packet;
    packet[offset] = value;
    return read_query(packet).value().fault;
  };
  CHECK(faulty(5, 0) == Rcode::form_error);
  CHECK(faulty(5, 2) == Rcode::form_error);
  CHECK(faulty(7, 1) == Rcode::form_error);
  CHECK(faulty(9, 1) == Rcode::form_error);
  CHECK(faulty(11, 2) == Rcode::form_error);
  CHECK(faulty(2, 0x10) == Rcode::not_implemented);  // STATUS
  CHECK(faulty(39, 1) == Rcode::bad_version);        // EDNS version 1
  CHECK(faulty(12, 0xc0) == Rcode::form_error);
  const auto with_options = [](Bytes options) {
    return read_query(question({"lernen.test", rr::a, 7, true, 1232, false, false, std::move(options)}))->fault;
  };
  CHECK(with_options({}) == Rcode::no_error);
  CHECK(with_options({0, 12, 0, 2, 0, 0, 0, 10, 0, 0}) == Rcode::no_error);
  CHECK(with_options({0, 12, 0, 2, 0, 0, 0, 10, 0, 1}) == Rcode::form_error);
  CHECK(with_options({0, 12, 0}) == Rcode::form_error);
  auto longer = dig_packet;
  longer.push_back(0);
  CHECK(read_query(longer)->fault == Rcode::form_error);
}

TEST_CASE("a question that is filled is the same question") {
  Query query;
  query.type = rr::aaaa;
  query.klass = class_in;
  query.checking_disabled = true;
  std::string label;
  for (std::size_t length = 1; length < 250; ++length) {
    label += length % 60 == 0 ? '.' : 'a';
    if (label.ends_with('.')) continue;
    query.name = name(label);
    const auto plain = write_question(7, query, limits::upstream_answer);
    std::array<std::uint8_t, 384> room{};
    room.fill(0xff);
    std::copy(plain.begin(), plain.end(), room.begin());
    const auto size = fill_question(room, plain.size(), 128);
    REQUIRE(size % 128 == 0);
    REQUIRE(size < plain.size() + 128 + 4);
    const auto again = read_query(ByteView(room).first(size)).value();
    REQUIRE(again.fault == Rcode::no_error);
    REQUIRE(again.name == query.name);
    REQUIRE(again.edns == read_query(plain)->edns);
    REQUIRE(again.checking_disabled);
  }
  // What there is no room for stays as it is.
  query.name = name("lernen.test");
  auto plain = write_question(7, query, limits::upstream_answer);
  const auto before = plain;
  CHECK(fill_question(plain, plain.size(), 128) == before.size());
  CHECK(plain == before);
}

TEST_CASE("an answer brings the question back octet for octet") {
  const auto query = read_query(dig_packet).value();
  const auto packet = write_answer(query, refusal(query, Rcode::nx_domain, Ede::filtered, limits::refusal_ttl), udp_limit(query));
  const auto answer = told(packet);
  CHECK(std::equal(dig_packet.begin() + 12, dig_packet.begin() + 33, packet.begin() + 12));
  CHECK(answer.id == 0xbeef);
  CHECK(answer.flags == 0x8183);
  CHECK(answer.ede == 17);
  REQUIRE(answer.authority.size() == 1);
  CHECK(answer.authority[0].owner == query.name);
  CHECK(answer.authority[0].type == rr::soa);
  CHECK(answer.authority[0].ttl <= 10);
  // The last field of the SOA bounds how long a resolver on the tablet keeps the refusal.
  const auto& soa = answer.authority[0].data;
  REQUIRE(soa.size() > 4);
  CHECK(soa[soa.size() - 1] <= 10);
}

TEST_CASE("a client without EDNS gets none back") {
  const auto query = query_of({"spiele.test"});
  const auto answer =
      told(write_answer(query, refusal(query, Rcode::nx_domain, Ede::filtered, limits::refusal_ttl), udp_limit(query)));
  CHECK(answer.rcode == 3);
  CHECK(answer.additional.empty());
}

TEST_CASE("a fault is answered with what is known of the question") {
  auto packet = dig_packet;
  packet[39] = 1;
  const auto query = read_query(packet).value();
  CHECK(told(write_answer(query, failure(query.fault), 512)).rcode == 16);
  const auto bare = read_query(ByteView(dig_packet).first(14)).value();
  const auto answer = write_answer(bare, failure(bare.fault), 512);
  CHECK(answer.size() == 12);
  CHECK(told(answer).rcode == 1);
}

TEST_CASE("an answer that does not fit is truncated, with its question and OPT") {
  const auto asked = question({"lernen.test", rr::a, 1, true, 4096});
  const auto query = read_query(asked).value();
  CHECK(udp_limit(query) == limits::udp_answer);
  CHECK(udp_limit(query_of({"a.test", rr::a, 1, true, 100})) == 512);
  CHECK(udp_limit(query_of({"a.test"})) == 512);
  Sections sections;
  for (int i = 0; i < 100; ++i) sections.answers.push_back(address_record("lernen.test", fmt::format("198.51.100.{}", i)));
  const auto answer = read_response(response(asked, sections), query).value();
  const auto packet = write_answer(query, answer, udp_limit(query));
  CHECK(packet.size() <= limits::udp_answer);
  CHECK(told(packet).truncated());
  CHECK(told(packet).answers.empty());
  CHECK(told(packet).additional.size() == 1);
  const auto whole = told(write_answer(query, answer, limits::tcp_answer));
  CHECK_FALSE(whole.truncated());
  CHECK(whole.answers.size() == 100);
}

TEST_CASE("of the resolver's answer only the chain from the question to its addresses comes out") {
  const auto asked = question({"WWW.lernen.test", rr::a, 7, true});
  const auto query = read_query(asked).value();
  const auto packet =
      response(asked, {{name_record("www.lernen.test", rr::cname, "edge.cdn.test", 60),
                        address_record("edge.cdn.test", "198.51.100.20"), address_record("edge.cdn.test", "2001:db8:51::20"),
                        address_record("other.test", "198.51.100.66"), name_record("www.lernen.test", rr::ns, "ns.test")},
                       {name_record("lernen.test", rr::ns, "ns.lernen.test")},
                       {address_record("ns.lernen.test", "198.51.100.67")}});
  const auto answer = told(write_answer(query, read_response(packet, query).value(), 1232));
  CHECK(answer.addresses() == std::vector<std::string>{"198.51.100.20"});
  CHECK(answer.answers.size() == 2);
  CHECK(answer.answers[0].owner == query.name);
  CHECK(answer.authority.empty());
  CHECK(answer.additional.size() == 1);
}

TEST_CASE("a chain that loops or breaks off ends in no addresses") {
  const auto asked = question({"a.test"});
  const auto query = read_query(asked).value();
  const auto loop =
      read_response(response(asked, {{name_record("a.test", rr::cname, "b.test"), name_record("b.test", rr::cname, "a.test"),
                                      address_record("c.test", "198.51.100.1")},
                                     {},
                                     {}}),
                    query);
  REQUIRE(loop);
  CHECK(loop->answers.size() == 2);
  Sections deep;
  for (int i = 0; i < 40; ++i)
    deep.answers.push_back(name_record(i == 0 ? "a.test" : fmt::format("n{}.test", i), rr::cname, fmt::format("n{}.test", i + 1)));
  deep.answers.push_back(address_record("n40.test", "198.51.100.1"));
  auto answer = read_response(response(asked, deep), query);
  REQUIRE(answer);
  CHECK_FALSE(has_type(*answer, rr::a));
}

TEST_CASE("compressed names within data are written out") {
  // MX 10 mail.<question's name>
  const auto asked = question({"lernen.test", rr::mx});
  auto packet = response(asked, {{{name("lernen.test"), rr::mx, 60, {0, 10, 4, 'm', 'a', 'i', 'l', 0xc0, 12}}}, {}, {}});
  const auto answer = read_response(packet, read_query(asked).value());
  REQUIRE(answer);
  REQUIRE(answer->answers.size() == 1);
  CHECK(answer->answers[0].data == Bytes{0, 10, 4, 'm', 'a', 'i', 'l', 6, 'l', 'e', 'r', 'n', 'e', 'n', 4, 't', 'e', 's', 't', 0});
}

TEST_CASE("a negative answer keeps its SOA, for a minute at most") {
  const auto asked = question({"gibtsnicht.lernen.test"});
  const auto query = read_query(asked).value();
  WireWriter soa(512);
  soa.bytes(name("ns.lernen.test").wire());
  soa.bytes(name("root.lernen.test").wire());
  for (int i = 0; i < 5; ++i) soa.u32(86400);
  auto answer = read_response(response(asked, {{}, {{name("lernen.test"), rr::soa, 86400, soa.take()}}, {}, 0x8183}), query);
  REQUIRE(answer);
  CHECK(answer->rcode == Rcode::nx_domain);
  cap_ttls(*answer, limits::ttl_cap);
  REQUIRE(answer->authority.size() == 1);
  CHECK(answer->authority[0].ttl == 60);
}

TEST_CASE("signatures come along when the client asks for DNSSEC, and only then") {
  const Record signature{name("lernen.test"), rr::rrsig, 300, Bytes{0, 1, 8, 2, 0, 0, 1, 44}};
  for (const bool wanted : {true, false}) {
    const auto asked = question({"lernen.test", rr::a, 1, true, 1232, wanted});
    const auto answer = read_response(response(asked, {{address_record("lernen.test", "198.51.100.20"), signature}, {}, {}}),
                                      read_query(asked).value());
    REQUIRE(answer);
    CHECK(answer->answers.size() == (wanted ? 2U : 1U));
  }
}

TEST_CASE("a malformed answer of the resolver is none") {
  const auto asked = question({"lernen.test"});
  const auto query = read_query(asked).value();
  const auto packet = response(asked, {{address_record("lernen.test", "198.51.100.20")}, {}, {}});
  REQUIRE(read_response(packet, query));
  for (std::size_t length = 0; length < packet.size(); ++length) CHECK_FALSE(read_response(ByteView(packet).first(length), query));
  auto many = packet;
  many[6] = 0xff;
  CHECK_FALSE(read_response(many, query));
}
