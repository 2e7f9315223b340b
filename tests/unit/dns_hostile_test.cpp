// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// The gate and a resolver, or whoever pretends to be it, that turns hostile: over real sockets. Whatever comes, a question that
// was under way at the same time gets its answer.
#include "daemon/dns/limits.hpp"
#include "tests/catch.hpp"
#include "tests/unit/dns_town.hpp"

#include <sys/socket.h>

#include <random>

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;

namespace {

/// A tablet whose question is under way when the resolver turns hostile.
class Witness {
public:
  explicit Witness(Town& town) : town_(town), name_(fmt::format("gut{}.spiele.test", ++number_)), tablet_("127.0.0.1", leisure) {
    tablet_.ask({name_});
    asked_ = town.next_question(name_);
  }
  /// Now the resolver answers it; the answer comes, and only that one.
  void is_answered() {
    CHECK_FALSE(tablet_.answer());
    town_.resolve(asked_, {address_record(name_, "198.51.100.30")});
    CHECK(town_.wait_for(tablet_).addresses() == std::vector<std::string>{"198.51.100.30"});
    town_.until_idle();
    CHECK_FALSE(tablet_.answer());
  }
  [[nodiscard]] const UpstreamQuestion& asked() const { return asked_; }

private:
  static inline int number_ = 0;
  Town& town_;
  std::string name_;
  Tablet tablet_;
  UpstreamQuestion asked_;
};

constexpr const char* victim_name = "opfer.spiele.test";

/// What the resolver says to the victim's question, as a packet of its own making.
using Forge = std::function<Bytes(const Bytes& question)>;

Bytes good_answer(const Bytes& question) { return response(question, {{address_record(victim_name, "198.51.100.66")}, {}, {}}); }

/// The good answer with one octet other than it should be.
Forge with_flipped(std::size_t at, std::uint8_t bits) {
  return [=](const Bytes& question) {
    auto packet = good_answer(question);
    packet.at(at) ^= bits;
    return packet;
  };
}

/// An answer with one record whose owner is a pointer to `target`; none: to itself.
Forge with_pointer(std::optional<std::uint16_t> target) {
  return [=](const Bytes& question) {
    auto packet = response(question, {});
    packet[7] = 1;
    const auto to = static_cast<std::uint16_t>(target.value_or(static_cast<std::uint16_t>(packet.size())) | 0xc000U);
    const Bytes record{
        static_cast<std::uint8_t>(to >> 8U), static_cast<std::uint8_t>(to), 0, 1, 0, 1, 0, 0, 1, 0, 0, 4, 198, 51, 100, 66};
    packet.insert(packet.end(), record.begin(), record.end());
    return packet;
  };
}

Bytes many_records(const Bytes& question, int count) {
  Sections many;
  for (int i = 0; i < count; ++i)
    many.answers.push_back(address_record(victim_name, fmt::format("198.51.{}.{}", i / 250, i % 250)));
  return response(question, many);
}

/// A datagram to one of the gate's sockets from another one than the resolver's.
void send_from(const std::string& address, std::uint16_t port, const UpstreamQuestion& question, const Bytes& packet) {
  const auto fd = bound(SOCK_DGRAM, address, port);
  // Refused where the socket is connected to somebody else: then nothing came through at all.
  sendto(fd.get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&question.from), sizeof question.from);
}

}  // namespace

SCENARIO("what does not belong to the question is no answer: the right one still counts") {
  enter_own_network();
  Town town;
  const std::size_t name_at = 12, type_at = name_at + name(victim_name).wire().size(), class_at = type_at + 2;
  const std::vector<std::pair<const char*, Forge>> forged{
      {"another id", with_flipped(1, 0x01)},
      {"another name", with_flipped(name_at + 1, 0x01)},
      {"the name in another case", with_flipped(name_at + 1, 0x20)},
      {"another type", with_flipped(type_at + 1, 0x1d)},
      {"another class", with_flipped(class_at + 1, 0x02)},
      {"a question", with_flipped(2, 0x80)},
      {"two questions", with_flipped(5, 0x03)},
      {"another opcode", with_flipped(2, 0x10)},
      {"shorter than a header", [](const Bytes& question) { return Bytes(question.begin(), question.begin() + 11); }},
      {"nothing", [](const Bytes&) { return Bytes(); }},
  };
  for (const auto& [what, forge] : forged) {
    INFO(what);
    Tablet victim("127.0.0.1", leisure);
    victim.ask({victim_name, rr::a, 1});
    const auto asked = town.next_question();
    Witness witness(town);
    const auto packet = forge(asked.packet);
    town.send_upstream(asked, packet);
    witness.is_answered();
    CHECK_FALSE(victim.answer());
    town.resolve(asked, {address_record(victim_name, "198.51.100.30", 0)});
    CHECK(town.wait_for(victim).addresses() == std::vector<std::string>{"198.51.100.30"});
  }
}

SCENARIO("the right answer from the wrong place, or to the wrong one of the gate's sockets, is none") {
  enter_own_network();
  Town town;
  Tablet victim("127.0.0.1", leisure);
  victim.ask({victim_name});
  const auto asked = town.next_question();
  Witness witness(town);
  const auto answer = good_answer(asked.packet);
  send_from("127.0.0.1", 0, asked, answer);
  send_from("127.0.0.2", town.resolver_port(), asked, answer);
  // Each turn of the gate's has a socket of its own.
  auto elsewhere = asked;
  for (int i = 0; elsewhere.from.sin6_port == asked.from.sin6_port; ++i) {
    Tablet another("127.0.0.1", leisure);
    const auto name = fmt::format("m{}.spiele.test", i);
    another.ask({name});
    elsewhere.from = town.next_question(name).from;
  }
  town.send_upstream(elsewhere, answer);
  witness.is_answered();
  CHECK_FALSE(victim.answer());
  town.resolve(asked, {address_record(victim_name, "198.51.100.30")});
  CHECK(town.wait_for(victim).addresses() == std::vector<std::string>{"198.51.100.30"});
}

SCENARIO("an answer that cannot be read fails its own question, and no other") {
  enter_own_network();
  Town town;
  const std::vector<std::pair<const char*, Forge>> broken{
      {"a name that points at itself", with_pointer(std::nullopt)},
      {"a name that points ahead", with_pointer(0x3fff)},
      {"more records than are taken", [](const Bytes& question) { return many_records(question, 2000); }},
      {"records announced that do not come", with_flipped(6, 0x01)},
      {"a record that is cut off",
       [](const Bytes& question) {
         auto packet = good_answer(question);
         packet.pop_back();
         return packet;
       }},
      {"rubbish of the longest size",
       [](const Bytes& question) {
         auto packet = response(question, {});
         packet[7] = 0xff;
         packet.resize(65'000, 0xc0);
         return packet;
       }},
  };
  for (const auto& [what, forge] : broken) {
    INFO(what);
    Tablet victim("127.0.0.1", leisure);
    victim.ask({victim_name, rr::a, 1, true});
    const auto asked = town.next_question();
    Witness witness(town);
    town.send_upstream(asked, forge(asked.packet));
    witness.is_answered();
    const auto failed = town.wait_for(victim);
    CHECK(failed.rcode == 2);
    CHECK(failed.ede == 23);
  }
}

SCENARIO("of a thousand addresses so many are told as are pinned") {
  enter_own_network();
  Town town;
  town.take_streams();
  Session victim(leisure);
  victim.ask({victim_name});
  const auto asked = town.next_question();
  Witness witness(town);
  // Too long for a datagram between the gate and the resolver.
  const auto stream = town.cut_short(asked);
  stream.send(framed(many_records(stream.packet, 1000)));
  witness.is_answered();
  std::optional<Told> answer;
  town.until([&] { return (answer = victim.answer()).has_value(); });
  CHECK(answer->addresses().size() == limits::addresses);
}

SCENARIO("a TCP answer that lies about its length, breaks off or belongs to something else fails its own question") {
  enter_own_network();
  Town town;
  town.take_streams();
  const auto other_question = question({"anderes.test", rr::a, 0x4321});
  const std::vector<std::pair<const char*, Forge>> broken{
      {"no answer at all", [](const Bytes&) { return Bytes{}; }},
      {"half a length", [](const Bytes&) { return Bytes{0}; }},
      {"a length of nothing",
       [](const Bytes&) {
         return Bytes{0, 0};
       }},
      {"a length of less than a header",
       [](const Bytes&) {
         return Bytes{0, 3, 1, 2, 3};
       }},
      {"the longest length, and little behind it",
       [](const Bytes& question) {
         auto octets = framed(good_answer(question));
         octets[0] = octets[1] = 0xff;
         return octets;
       }},
      {"one octet less than was announced",
       [](const Bytes& question) {
         auto octets = framed(good_answer(question));
         octets.pop_back();
         return octets;
       }},
      {"a length that cuts the answer",
       [](const Bytes& question) {
         auto octets = framed(good_answer(question));
         octets[1] = static_cast<std::uint8_t>(octets[1] - 1);
         return octets;
       }},
      {"an answer to another question", [&](const Bytes&) { return framed(response(other_question, {})); }},
  };
  for (const auto& [what, forge] : broken) {
    INFO(what);
    Tablet victim("127.0.0.1", leisure);
    victim.ask({victim_name, rr::a, 1, true});
    const auto stream = town.cut_short(town.next_question());
    Witness witness(town);
    stream.send(forge(stream.packet));
    shutdown(stream.fd.get(), SHUT_WR);
    witness.is_answered();
    CHECK(town.wait_for(victim).rcode == 2);
  }
}

SCENARIO("an answer that comes twice, or after its question was given up, is nobody's") {
  enter_own_network();
  Town town;
  Tablet victim("127.0.0.1", leisure);
  victim.ask({victim_name, rr::a, 1, true});
  const auto failed = town.wait_for(victim);
  CHECK(failed.rcode == 2);
  CHECK(failed.ede == 22);
  const auto asked = town.questions();
  REQUIRE(asked.size() == limits::upstream_attempts);
  Witness witness(town);
  for (int i = 0; i < 3; ++i)
    for (const auto& late : asked) town.resolve(late, {address_record(victim_name, "198.51.100.66")});
  witness.is_answered();
  for (int i = 0; i < 3; ++i) town.resolve(witness.asked(), {address_record(victim_name, "198.51.100.66")});
  // The late answer was not kept either.
  victim.ask({victim_name, rr::a, 2});
  town.resolve(town.next_question(), {address_record(victim_name, "198.51.100.30")});
  const auto answer = town.wait_for(victim);
  CHECK(answer.id == 2);
  CHECK(answer.addresses() == std::vector<std::string>{"198.51.100.30"});
  town.until_idle();
  CHECK_FALSE(victim.answer());
}

SCENARIO("a hundred thousand datagrams of rubbish cost no question its answer") {
  enter_own_network();
  Town town;
  std::mt19937 dice(4);
  std::optional<Witness> witness;
  for (int i = 0; i < 100'000; ++i) {
    if (i % 1000 == 0) witness.emplace(town);
    // Random octets, or an answer to the question under way with a few octets changed within its id and question.
    Bytes packet(dice() % 600);
    for (auto& octet : packet) octet = static_cast<std::uint8_t>(dice());
    if (i % 2 == 0) {
      packet = response(witness->asked().packet, {});
      packet[dice() % 2] ^= static_cast<std::uint8_t>(1U + dice() % 255U);
      packet[12 + dice() % 20] ^= static_cast<std::uint8_t>(dice());
    }
    town.send_upstream(witness->asked(), packet);
    if (i % 50 == 49) town.until_idle();
    if (i % 1000 == 999) witness->is_answered();
  }
}
