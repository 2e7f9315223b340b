// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/pin_protocol.hpp"
#include "tests/catch.hpp"

#include <cstring>

using namespace schultor;
using namespace schultor::dns;

namespace {

PinEntry entry(std::string_view address, policy::Doors doors = 1, std::chrono::seconds lifetime = std::chrono::seconds(300)) {
  return {base::parse_address(address).value(), doors, lifetime};
}

template <typename T>
T back(const T& message) {
  auto decoded = decode(encode(message));
  REQUIRE(decoded);
  REQUIRE(std::holds_alternative<T>(*decoded));
  return std::get<T>(*decoded);
}

template <typename T>
void overwrite(std::vector<std::byte>& packet, std::size_t offset, T value) {
  std::memcpy(packet.data() + offset, &value, sizeof value);
}

}  // namespace

TEST_CASE("every message of the pin protocol comes out as it went in") {
  const Announcement announcement{7, 0xffffffffffffffffULL};
  CHECK(back(announcement) == announcement);
  CHECK(back(Announcement{7, 8, true}) == Announcement{7, 8, true});
  const PinRequest request{42, 9, {entry("198.51.100.20"), entry("2001:db8:51::20", 1ULL << 63, longest_lifetime)}};
  CHECK(back(request) == request);
  for (auto status : {PinStatus::pinned, PinStatus::stale, PinStatus::refused, PinStatus::failed})
    CHECK(back(PinReply{3, status}) == PinReply{3, status});
  CHECK(back(Health{true}) == Health{true});
  CHECK(back(Health{false}) == Health{false});
  const WellOrigins well{7, std::uint64_t{1} << 63U | 1U};
  CHECK(back(well) == well);
  const Switches::Instant at{std::chrono::hours(5)};
  CHECK(back(Switches{}) == Switches{});
  CHECK(back(StatisticsRequest{5}) == StatisticsRequest{5});
  const ViewStatistics views{5, {{0, {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 11}}, {counted_views - 1, {{}, 0xffffffffffffffffULL}}}};
  CHECK(back(views) == views);
  GateStatistics whole{5, {at, {}, {1, 2, 3, 4, 5, 6}, {}, {7, 8, 9, 10, 11, 12, 13}, 14}};
  for (std::size_t i = 0; i < waited_kinds; ++i) whole.statistics.answered[i].counts[i + 3] = 100 + i;
  whole.statistics.round_trip.counts.back() = 99;
  CHECK(back(whole) == whole);
  CHECK(back(QuestionLogging{at, {1, 7}}) == QuestionLogging{at, {1, 7}});
  CHECK(back(QuestionLogging{}) == QuestionLogging{});
  CHECK(back(Switches{{{1, at}, {7, at - std::chrono::hours(9)}}, at}) == Switches{{{1, at}, {7, at - std::chrono::hours(9)}}, at});
}

TEST_CASE("as many switches as fit are told, and no more") {
  Switches most;
  most.views.assign(most_switches, {1, Switches::Instant{}});
  CHECK(encode(most).size() <= longest_message);
  CHECK(back(most) == most);
  most.views.push_back({2, Switches::Instant{}});
  CHECK_FALSE(decode(encode(most)));
}

TEST_CASE("as many views are told at once as fit, and no more") {
  ViewStatistics most{1, {}};
  most.views.assign(most_views_told, {1, {}});
  CHECK(encode(most).size() <= longest_message);
  CHECK(back(most) == most);
  most.views.push_back({2, {}});
  CHECK_FALSE(decode(encode(most)));
  CHECK_FALSE(decode(encode(ViewStatistics{1, {}})));
  CHECK_FALSE(decode(encode(ViewStatistics{1, {{counted_views, {}}}})));
}

TEST_CASE("the longest pin request is exactly the longest message") {
  PinRequest request{1, 1, {}};
  request.entries.assign(most_pins, entry("198.51.100.20"));
  CHECK(encode(request).size() == longest_message);
  CHECK(back(request) == request);
  request.entries.push_back(entry("198.51.100.20"));
  CHECK_FALSE(decode(encode(request)));
}

TEST_CASE("a message of any other length is refused") {
  const std::vector<std::vector<std::byte>> packets{encode(Announcement{1, 1, true}),
                                                    encode(PinRequest{1, 1, {entry("198.51.100.20")}}),
                                                    encode(PinReply{1, PinStatus::pinned}),
                                                    encode(Health{true}),
                                                    encode(WellOrigins{7, 1}),
                                                    encode(Switches{{{1, {}}}, {}}),
                                                    encode(StatisticsRequest{1}),
                                                    encode(ViewStatistics{1, {{1, {}}}}),
                                                    encode(GateStatistics{1, {}}),
                                                    encode(QuestionLogging{})};
  for (const auto& packet : packets) {
    for (std::size_t length = 0; length < packet.size(); ++length) CHECK_FALSE(decode(std::span(packet).first(length)));
    auto longer = packet;
    longer.push_back(std::byte{0});
    CHECK_FALSE(decode(longer));
  }
  CHECK_FALSE(decode(std::vector<std::byte>(longest_message + 1)));
}

TEST_CASE("values out of range are refused") {
  const auto pristine = encode(PinRequest{1, 1, {entry("198.51.100.20")}});
  REQUIRE(decode(pristine));
  auto changed = [&](std::size_t offset, auto value) {
    auto packet = pristine;
    overwrite(packet, offset, value);
    return decode(packet).has_value();
  };
  CHECK_FALSE(changed(0, std::uint32_t{1}));  // version
  CHECK_FALSE(changed(4, std::uint32_t{0}));  // kind
  CHECK_FALSE(changed(4, std::uint32_t{99}));
  CHECK_FALSE(changed(12, std::uint32_t{0}));  // no entries
  CHECK_FALSE(changed(12, std::uint32_t{2}));  // more than there are
  CHECK_FALSE(changed(12, std::uint32_t{0xffffffff}));
  CHECK_FALSE(changed(24, std::uint64_t{1}));  // reserved
  CHECK_FALSE(changed(32, std::uint32_t{5}));  // family
  CHECK_FALSE(changed(36, std::uint32_t{0}));  // lifetime
  CHECK_FALSE(changed(36, static_cast<std::uint32_t>(longest_lifetime.count() + 1)));
  CHECK_FALSE(changed(40, std::uint64_t{0}));  // doors
  CHECK_FALSE(changed(60, std::uint32_t{1}));  // an IPv4 address of 16 octets

  auto reply = encode(PinReply{1, PinStatus::failed});
  overwrite(reply, 12, std::uint32_t{4});
  CHECK_FALSE(decode(reply));
  auto announcement = encode(Announcement{1, 1, true});
  overwrite(announcement, 24, std::uint64_t{2});
  CHECK_FALSE(decode(announcement));
  auto health = encode(Health{true});
  overwrite(health, 8, std::uint32_t{2});
  CHECK_FALSE(decode(health));
  auto wanted = encode(StatisticsRequest{1});
  overwrite(wanted, 12, std::uint32_t{1});
  CHECK_FALSE(decode(wanted));
  for (const auto& [offset, value] : {std::pair<std::size_t, std::uint32_t>{12, 1}, {20, 0x80000000U}}) {
    auto statistics = encode(GateStatistics{1, {}});
    REQUIRE(decode(statistics));
    overwrite(statistics, offset, value);
    CHECK_FALSE(decode(statistics));
  }
  for (const std::size_t reserved : {std::size_t{12}, std::size_t{28}}) {
    auto switches = encode(Switches{{{1, {}}}, {}});
    overwrite(switches, reserved, std::uint32_t{1});
    CHECK_FALSE(decode(switches));
  }
}
