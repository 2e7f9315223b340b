// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/cache_protocol.hpp"
#include "tests/catch.hpp"

#include <cstring>

using namespace schultor::cache;

namespace {

Message back(const Message& message) {
  const auto decoded = decode(encode(message));
  REQUIRE(decoded);
  return *decoded;
}

Health health() {
  Health health{7, std::uint64_t{1} << 63U | 1U, {}};
  health.unwell[1] = Unwell::engine;
  health.unwell[62] = Unwell::storage;
  return health;
}

template <typename T>
bool accepted(const Message& message, std::size_t at, T value) {
  auto packet = encode(message);
  REQUIRE(at + sizeof value <= packet.size());
  std::memcpy(packet.data() + at, &value, sizeof value);
  return decode(packet).has_value();
}

}  // namespace

TEST_CASE("schultord's and the cache's messages come back as they went") {
  CHECK(back(Rules{7, true}) == Message{Rules{7, true}});
  CHECK(back(Rules{8, false}) == Message{Rules{8, false}});
  CHECK(back(health()) == Message{health()});
  CHECK(encode(health()).size() <= longest_message);
}

TEST_CASE("nothing but such messages is understood") {
  for (const Message& message : {Message{Rules{7, true}}, Message{health()}}) {
    auto packet = encode(message);
    for (std::size_t size = 0; size < packet.size(); ++size) CHECK_FALSE(decode(std::span(packet).first(size)));
    packet.push_back({});
    CHECK_FALSE(decode(packet));
    CHECK_FALSE(accepted(message, 0, std::uint32_t{2}));
    CHECK_FALSE(accepted(message, 4, std::uint32_t{3}));
    CHECK_FALSE(accepted(message, 4, std::uint32_t{0}));
  }
  CHECK_FALSE(accepted(Rules{7, true}, 16, std::uint64_t{2}));
  CHECK_FALSE(accepted(health(), 24 + 1, std::uint8_t{reasons}));
  // Well, and a reason why it is not.
  CHECK_FALSE(accepted(health(), 24 + 63, std::uint8_t{1}));
  CHECK(accepted(health(), 24 + 1, std::uint8_t{0}));
}

TEST_CASE("each reason has words of its own") {
  for (std::size_t i = 0; i < reasons; ++i) {
    CHECK_FALSE(to_string(static_cast<Unwell>(i)).empty());
    for (std::size_t j = 0; j < i; ++j) CHECK(to_string(static_cast<Unwell>(i)) != to_string(static_cast<Unwell>(j)));
  }
}
