// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// Questions that leave together arrive one by one, whether the kernel cuts them or not.
#include "daemon/base/unique_fd.hpp"
#include "daemon/dns/question_batch.hpp"
#include "tests/catch.hpp"
#include "tests/kernel/network_namespace.hpp"
#include "tests/unit/dns_packets.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <utility>

using namespace schultor;
using namespace schultor::dns;
using namespace schultor::dns::test;

namespace {

/// Two sockets on loopback: what is sent on the first arrives at the second.
struct Pair {
  base::UniqueFd from, to;
};

Pair connected() {
  Pair made{base::UniqueFd(socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
            base::UniqueFd(socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))};
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = IN6ADDR_LOOPBACK_INIT;
  socklen_t size = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(bind(made.to.get(), plain, size) == 0);
  REQUIRE(getsockname(made.to.get(), plain, &size) == 0);
  REQUIRE(connect(made.from.get(), plain, size) == 0);
  return made;
}

Bytes question_of(std::string_view text, std::uint16_t id) {
  Query query;
  query.name = name(text);
  query.type = rr::a;
  query.klass = class_in;
  return write_question(id, query, limits::upstream_answer);
}

/// Ids of the questions that have arrived, in order; each is one that can be read.
std::vector<std::uint16_t> arrived(const Pair& pair) {
  std::vector<std::uint16_t> ids;
  std::array<std::uint8_t, 4096> packet{};
  for (auto size = recv(pair.to.get(), packet.data(), packet.size(), 0); size >= 0;
       size = recv(pair.to.get(), packet.data(), packet.size(), 0)) {
    const auto query = read_query(ByteView(packet).first(static_cast<std::size_t>(size)));
    REQUIRE(query);
    REQUIRE(query->fault == Rcode::no_error);
    ids.push_back(query->id);
  }
  return ids;
}

}  // namespace

TEST_CASE("questions of a turn arrive one by one and in order") {
  schultor::test::enter_network_namespace();
  schultor::test::run("ip link set lo up");
  const bool fill = GENERATE(true, false);
  CAPTURE(fill);
  const auto pair = connected();
  QuestionBatch batch(fill);
  std::vector<std::uint16_t> expected;
  std::string text = "lernen.test";
  // Of one length and of many, of two blocks and of three, and one alone.
  for (std::uint16_t id = 1; !batch.is_full(); ++id) {
    if (id % 3 == 0) text.insert(0, id % 2 == 0 ? "a." : "mathematik.");
    batch.add(question_of(text, id));
    expected.push_back(id);
  }
  batch.send(pair.from.get());
  CHECK(batch.empty());
  CHECK(arrived(pair) == expected);
  batch.add(question_of("allein.test", 99));
  batch.send(pair.from.get());
  CHECK(arrived(pair) == std::vector<std::uint16_t>{99});
}

TEST_CASE("that nobody listened before costs no later question") {
  schultor::test::enter_network_namespace();
  schultor::test::run("ip link set lo up");
  auto pair = connected();
  sockaddr_in6 address{};
  socklen_t size = sizeof address;
  REQUIRE(getsockname(pair.to.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  pair.to.reset();
  QuestionBatch batch(true);
  batch.add(question_of("a.test", 1));
  batch.send(pair.from.get());
  pair.to.reset(socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  REQUIRE(bind(pair.to.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
  for (std::uint16_t id = 2; id < 6; ++id) batch.add(question_of("a.test", id));
  batch.send(pair.from.get());
  CHECK(arrived(pair) == std::vector<std::uint16_t>{2, 3, 4, 5});
}
