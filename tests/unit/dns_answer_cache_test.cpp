// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/answer_cache.hpp"

#include "daemon/dns/limits.hpp"
#include "tests/catch.hpp"
#include "tests/unit/dns_packets.hpp"

#include <random>

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const Time start = Time{} + seconds(1'000'000);
constexpr AnswerCache::Bounds roomy{1024, 1U << 20U};

/// What the gate would send: the answer to a question, written whole.
Bytes answer_to_question(ByteView asked, const std::vector<Record>& records) {
  const auto query = read_query(asked).value();
  Answer answer;
  answer.answers = records;
  return write_answer(query, answer, udp_limit(query));
}

struct Cache {
  explicit Cache(AnswerCache::Bounds bounds = roomy) : cache(bounds, {1, 2, 3}) {}

  void keep(const Bytes& asked, const std::vector<Record>& records, std::uint32_t view = school, Time now = start) {
    cache.keep(read_plain_question(asked).value(), view, answer_to_question(asked, records), Verdict::allowed, now);
  }
  /// Empty where none is kept.
  Bytes ask(const Bytes& asked, std::uint32_t view = school, Time now = start, std::size_t room = limits::udp_answer) {
    Bytes out(room);
    out.resize(cache.answer(read_plain_question(asked).value(), view, out, now).size);
    return out;
  }

  AnswerCache cache;
};

}  // namespace

SCENARIO("an answer that is kept is the answer that was given, but for the asker's id, spelling and RD bit") {
  Cache cache;
  const auto asked = question({"www.lernen.test", rr::a, 0x1111, true});
  const std::vector<Record> records{name_record("www.lernen.test", rr::cname, "lernen.test"),
                                    address_record("lernen.test", "198.51.100.20")};
  cache.keep(asked, records);
  CHECK(cache.ask(asked) == answer_to_question(asked, records));

  auto other = question({"wWw.LERNEN.test", rr::a, 0x2222, true});
  other[2] = 0;  // no RD
  auto expected = answer_to_question(
      other, {name_record("wWw.LERNEN.test", rr::cname, "lernen.test"), address_record("lernen.test", "198.51.100.20")});
  CHECK(told(cache.ask(other)).name == name("wWw.LERNEN.test"));
  CHECK(told(cache.ask(other)).addresses() == std::vector<std::string>{"198.51.100.20"});
  CHECK(told(cache.ask(other)).id == 0x2222);
  CHECK(told(cache.ask(other)).flags == told(expected).flags);
}

SCENARIO("another view, type, DO, CD, AD or EDNS is another question") {
  Cache cache;
  const auto asked = question({"lernen.test", rr::a, 1, true, 1232, false});
  cache.keep(asked, {address_record("lernen.test", "198.51.100.20")});
  REQUIRE_FALSE(cache.ask(asked).empty());
  CHECK(cache.ask(asked, leisure).empty());
  CHECK(cache.ask(question({"lernen.test", rr::aaaa, 1, true})).empty());
  CHECK(cache.ask(question({"lernen.test", rr::a, 1, true, 1232, true})).empty());
  CHECK(cache.ask(question({"lernen.test", rr::a, 1, false})).empty());
  CHECK(cache.ask(question({"lernem.test", rr::a, 1, true})).empty());
  for (const std::uint8_t bit : {std::uint8_t{0x10}, std::uint8_t{0x20}}) {
    auto flagged = asked;
    flagged[3] = bit;
    CHECK(cache.ask(flagged).empty());
  }
}

SCENARIO("TTLs count down, and nothing is given that has less than a second left") {
  Cache cache;
  const auto asked = question({"lernen.test"});
  cache.keep(asked, {address_record("lernen.test", "198.51.100.20", 60), address_record("lernen.test", "198.51.100.21", 300)});
  const auto ttls = [&](milliseconds later) {
    std::vector<std::uint32_t> all;
    for (const auto& record : told(cache.ask(asked, school, start + later)).answers) all.push_back(record.ttl);
    return all;
  };
  using Ttls = std::vector<std::uint32_t>;
  CHECK(ttls(milliseconds(0)) == Ttls{60, 300});
  CHECK(ttls(milliseconds(1)) == Ttls{59, 299});
  CHECK(ttls(milliseconds(10'000)) == Ttls{50, 290});
  CHECK(ttls(milliseconds(59'000)) == Ttls{1, 241});
  CHECK(ttls(milliseconds(59'001)).empty());
  CHECK(cache.cache.entries() == 0);
  CHECK(cache.cache.octets() == 0);
}

SCENARIO("an answer that is truncated, without a TTL, or longer than this asker takes is not given from here") {
  Cache cache;
  const auto asked = question({"lernen.test", rr::a, 1, true});
  cache.keep(asked, {});
  CHECK(cache.ask(asked).empty());
  std::vector<Record> many;
  for (int i = 1; i <= 100; ++i) many.push_back(address_record("lernen.test", fmt::format("198.51.100.{}", i)));
  cache.keep(asked, many);  // too long: written with TC
  CHECK(cache.ask(asked).empty());
  many.resize(40);
  cache.keep(asked, many);
  CHECK(cache.ask(asked).size() > limits::plain_udp_answer);
  CHECK(cache.ask(asked, school, start, limits::plain_udp_answer).empty());
}

SCENARIO("a cache that is full gives up others, never its bounds") {
  const AnswerCache::Bounds tight{64, 4096};
  Cache cache(tight);
  for (int i = 0; i < 1000; ++i) {
    const auto host = fmt::format("host-{}.lernen.test", i);
    const auto asked = question({host});
    cache.keep(asked, {address_record(host, "198.51.100.20")});
    CHECK(cache.cache.octets() <= tight.octets);
    CHECK(cache.cache.entries() <= tight.entries);
    CHECK_FALSE(cache.ask(asked).empty());
  }
  CHECK(cache.cache.entries() > 10);
  cache.cache.clear();
  CHECK(cache.cache.entries() == 0);
  CHECK(cache.cache.octets() == 0);
}

SCENARIO("a plain question is read as the thorough reader reads it, or not at all") {
  std::mt19937 dice(20261125);  // NOLINT: the same packets each time
  const std::vector<Bytes> seeds{question({"www.lernen.test"}), question({"a.b.c.d.e.test", rr::aaaa, 7, true}),
                                 question({"x.test", rr::https, 9, true, 4096, true}), question({""})};
  std::size_t plain_ones = 0;
  for (int round = 0; round < 200'000; ++round) {
    auto packet = seeds[dice() % seeds.size()];
    for (auto changes = dice() % 4; changes > 0 && !packet.empty(); --changes) {
      const auto at = dice() % packet.size();
      switch (dice() % 4) {
        case 0:
          packet[at] = static_cast<std::uint8_t>(dice());
          break;
        case 1:
          packet[at] ^= static_cast<std::uint8_t>(1U << dice() % 8);
          break;
        case 2:
          packet.resize(at);
          break;
        default:
          packet.insert(packet.begin() + static_cast<std::ptrdiff_t>(at), static_cast<std::uint8_t>(dice()));
          break;
      }
    }
    const auto plain = read_plain_question(packet);
    if (!plain) continue;
    ++plain_ones;
    const auto query = read_query(packet);
    REQUIRE(query);
    REQUIRE(query->fault == Rcode::no_error);
    const auto again = plain_question_of(*query);
    REQUIRE(again);
    CHECK(again->id == plain->id);
    CHECK(again->recursion_desired == plain->recursion_desired);
    CHECK(again->authentic_data == plain->authentic_data);
    CHECK(again->checking_disabled == plain->checking_disabled);
    CHECK(std::equal(again->name.begin(), again->name.end(), plain->name.begin(), plain->name.end()));
    CHECK(again->type == plain->type);
    CHECK(again->edns == plain->edns);
  }
  CHECK(plain_ones > 20'000);
}
