// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/pin_protocol.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace schultor::dns {
namespace {

using base::fail;
using base::Result;

enum class Kind : std::uint32_t {
  announcement = 1,
  pin_request = 2,
  pin_reply = 3,
  health = 4,
  switches = 5,
  statistics_request = 6,
  view_statistics = 7,
  gate_statistics = 8,
  question_logging = 9,
  well_origins = 10
};

constexpr std::size_t announcement_size = 32;
constexpr std::size_t request_head_size = 32;
constexpr std::size_t entry_size = 32;
constexpr std::size_t reply_size = 16;
constexpr std::size_t health_size = 16;
constexpr std::size_t switches_head_size = 24;
constexpr std::size_t switch_size = 16;
constexpr std::size_t question_logging_size = 24;
constexpr std::size_t statistics_request_size = 16;
constexpr std::size_t well_origins_size = 24;
constexpr std::size_t view_statistics_head_size = 16;
constexpr std::size_t view_counts_size = (2 + verdicts) * 8;
static_assert(longest_message >= view_statistics_head_size + most_views_told * view_counts_size);
constexpr std::size_t statistics_numbers = (waited_kinds + 1) * Histogram::buckets + 6 + 7 + 1;
constexpr std::size_t gate_statistics_size = 24 + statistics_numbers * 8;
static_assert(longest_message >= gate_statistics_size);
static_assert(longest_message >= switches_head_size + most_switches * switch_size);
static_assert(longest_message == request_head_size + most_pins * entry_size);

class Packer {
public:
  Packer(Kind kind, std::size_t size) {
    bytes_.reserve(size);
    put(pin_protocol_version);
    put(static_cast<std::uint32_t>(kind));
  }

  template <typename T>
  void put(T value) {
    std::array<std::byte, sizeof(T)> raw;
    std::memcpy(raw.data(), &value, sizeof value);
    bytes_.insert(bytes_.end(), raw.begin(), raw.end());
  }

  std::vector<std::byte> take() { return std::move(bytes_); }

private:
  std::vector<std::byte> bytes_;
};

/// Reads a packet whose length was checked before.
class Unpacker {
public:
  explicit Unpacker(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <typename T>
  T get() {
    T value{};
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_ = rest_.subspan(sizeof value);
    return value;
  }

private:
  std::span<const std::byte> rest_;
};

std::vector<std::byte> pack(const Announcement& announcement) {
  Packer out(Kind::announcement, announcement_size);
  out.put(announcement.rules_epoch);
  out.put(announcement.pins_epoch);
  out.put(std::uint64_t{announcement.with_table});
  return out.take();
}

std::vector<std::byte> pack(const PinRequest& request) {
  Packer out(Kind::pin_request, request_head_size + request.entries.size() * entry_size);
  out.put(request.sequence);
  out.put(static_cast<std::uint32_t>(request.entries.size()));
  out.put(request.rules_epoch);
  out.put(std::uint64_t{0});
  for (const PinEntry& entry : request.entries) {
    out.put(static_cast<std::uint32_t>(entry.address.family));
    out.put(static_cast<std::uint32_t>(entry.lifetime.count()));
    out.put(entry.doors);
    out.put(entry.address.octets);
  }
  return out.take();
}

std::vector<std::byte> pack(const PinReply& reply) {
  Packer out(Kind::pin_reply, reply_size);
  out.put(reply.sequence);
  out.put(static_cast<std::uint32_t>(reply.status));
  return out.take();
}

std::vector<std::byte> pack(const Health& health) {
  Packer out(Kind::health, health_size);
  out.put(static_cast<std::uint32_t>(health.resolver_answers ? 1 : 0));
  out.put(std::uint32_t{0});
  return out.take();
}

std::int64_t nanoseconds_of(Switches::Instant at) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

Switches::Instant instant_of(std::int64_t nanoseconds) {
  return Switches::Instant(std::chrono::duration_cast<Switches::Instant::duration>(std::chrono::nanoseconds(nanoseconds)));
}

std::vector<std::byte> pack(const Switches& switches) {
  Packer out(Kind::switches, switches_head_size + switches.views.size() * switch_size);
  out.put(static_cast<std::uint32_t>(switches.views.size()));
  out.put(std::uint32_t{0});
  out.put(nanoseconds_of(switches.others));
  for (const auto& one : switches.views) {
    out.put(one.view);
    out.put(std::uint32_t{0});
    out.put(nanoseconds_of(one.at));
  }
  return out.take();
}

std::vector<std::byte> pack(const StatisticsRequest& request) {
  Packer out(Kind::statistics_request, statistics_request_size);
  out.put(request.sequence);
  out.put(std::uint32_t{0});
  return out.take();
}

std::vector<std::byte> pack(const ViewStatistics& told) {
  Packer out(Kind::view_statistics, view_statistics_head_size + told.views.size() * view_counts_size);
  out.put(told.sequence);
  out.put(static_cast<std::uint32_t>(told.views.size()));
  for (const auto& one : told.views) {
    out.put(std::uint64_t{one.view});
    out.put(one.counts.by_verdict);
    out.put(one.counts.cached);
  }
  return out.take();
}

/// All numbers of it, statistics_numbers of them, in their order on the wire.
template <typename AnyStatistics, typename Function>
void for_each_number(AnyStatistics& statistics, Function&& function) {
  for (auto& histogram : statistics.answered)
    for (auto& count : histogram.counts) function(count);
  for (auto& count : statistics.round_trip.counts) function(count);
  auto& resolver = statistics.resolver;
  for (auto* number :
       {&resolver.questions, &resolver.answers, &resolver.again, &resolver.silent, &resolver.tcp, &resolver.under_way})
    function(*number);
  auto& pins = statistics.pins;
  for (auto* number : {&pins.requests, &pins.addresses, &pins.pinned, &pins.stale, &pins.refused, &pins.failed, &pins.lost})
    function(*number);
  function(statistics.waiting);
}

std::vector<std::byte> pack(const GateStatistics& told) {
  Packer out(Kind::gate_statistics, gate_statistics_size);
  out.put(told.sequence);
  out.put(std::uint32_t{0});
  out.put(nanoseconds_of(told.statistics.since));
  for_each_number(told.statistics, [&](std::uint64_t number) { out.put(number); });
  return out.take();
}

std::vector<std::byte> pack(const QuestionLogging& logging) {
  Packer out(Kind::question_logging, question_logging_size);
  out.put(nanoseconds_of(logging.until));
  out.put(logging.views);
  return out.take();
}

std::vector<std::byte> pack(const WellOrigins& well) {
  Packer out(Kind::well_origins, well_origins_size);
  out.put(well.rules_epoch);
  out.put(well.mask);
  return out.take();
}

Result<void> expect_size(std::span<const std::byte> packet, std::size_t size, std::string_view what) {
  if (packet.size() == size) return {};
  return fail("{} of {} octets, expected {}", what, packet.size(), size);
}

Result<PinEntry> unpack_entry(Unpacker& in) {
  PinEntry entry;
  const auto family = in.get<std::uint32_t>();
  const auto lifetime = in.get<std::uint32_t>();
  entry.doors = in.get<policy::Doors>();
  entry.address.octets = in.get<std::array<std::uint8_t, 16>>();
  if (family != 4 && family != 6) return fail("pin for address family {}, expected 4 or 6", family);
  entry.address.family = family == 4 ? base::Family::ipv4 : base::Family::ipv6;
  if (family == 4 &&
      std::any_of(entry.address.octets.begin() + 4, entry.address.octets.end(), [](auto octet) { return octet != 0; }))
    return fail("pin for an IPv4 address of more than four octets");
  if (entry.doors == 0) return fail("pin without a door");
  if (lifetime == 0 || lifetime > longest_lifetime.count())
    return fail("pin for {} s, expected 1 to {} s", lifetime, longest_lifetime.count());
  entry.lifetime = std::chrono::seconds(lifetime);
  return entry;
}

Result<Message> unpack_request(std::span<const std::byte> packet, Unpacker in) {
  if (packet.size() < request_head_size)
    return fail("pin request of {} octets, expected at least {}", packet.size(), request_head_size);
  PinRequest request;
  request.sequence = in.get<std::uint32_t>();
  const auto count = in.get<std::uint32_t>();
  request.rules_epoch = in.get<std::uint64_t>();
  if (in.get<std::uint64_t>() != 0) return fail("pin request with a reserved field that is not 0");
  if (count == 0 || count > most_pins) return fail("pin request with {} entries, expected 1 to {}", count, most_pins);
  if (auto sized = expect_size(packet, request_head_size + count * entry_size, "pin request"); !sized)
    return base::pass(std::move(sized));
  request.entries.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    auto entry = unpack_entry(in);
    if (!entry) return base::pass(std::move(entry));
    request.entries.push_back(*entry);
  }
  return Message{std::move(request)};
}

Result<Message> unpack_announcement(std::span<const std::byte> packet, Unpacker in) {
  if (auto sized = expect_size(packet, announcement_size, "announcement"); !sized) return base::pass(std::move(sized));
  Announcement announcement;
  announcement.rules_epoch = in.get<std::uint64_t>();
  announcement.pins_epoch = in.get<std::uint64_t>();
  const auto with_table = in.get<std::uint64_t>();
  if (with_table > 1) return fail("announcement with a value out of range");
  announcement.with_table = with_table == 1;
  return Message{announcement};
}

Result<Message> unpack_reply(std::span<const std::byte> packet, Unpacker in) {
  if (auto sized = expect_size(packet, reply_size, "pin reply"); !sized) return base::pass(std::move(sized));
  PinReply reply;
  reply.sequence = in.get<std::uint32_t>();
  const auto status = in.get<std::uint32_t>();
  if (status > static_cast<std::uint32_t>(PinStatus::failed)) return fail("pin reply with status {}, expected 0 to 3", status);
  reply.status = static_cast<PinStatus>(status);
  return Message{reply};
}

Result<Message> unpack_health(std::span<const std::byte> packet, Unpacker in) {
  if (auto sized = expect_size(packet, health_size, "health"); !sized) return base::pass(std::move(sized));
  const auto answers = in.get<std::uint32_t>();
  if (answers > 1 || in.get<std::uint32_t>() != 0) return fail("health with a value out of range");
  return Message{Health{answers == 1}};
}

Result<Message> unpack_switches(std::span<const std::byte> packet, Unpacker in) {
  if (packet.size() < switches_head_size)
    return fail("switches of {} octets, expected at least {}", packet.size(), switches_head_size);
  const auto count = in.get<std::uint32_t>();
  if (in.get<std::uint32_t>() != 0) return fail("switches with a reserved field that is not 0");
  if (count > most_switches) return fail("switches of {} views, expected at most {}", count, most_switches);
  if (auto sized = expect_size(packet, switches_head_size + count * switch_size, "switches"); !sized)
    return base::pass(std::move(sized));
  Switches switches;
  switches.others = instant_of(in.get<std::int64_t>());
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto view = in.get<std::uint32_t>();
    if (in.get<std::uint32_t>() != 0) return fail("switches with a reserved field that is not 0");
    switches.views.push_back({view, instant_of(in.get<std::int64_t>())});
  }
  return Message{std::move(switches)};
}

Result<Message> unpack_statistics_request(std::span<const std::byte> packet, Unpacker in) {
  if (auto sized = expect_size(packet, statistics_request_size, "statistics request"); !sized) return base::pass(std::move(sized));
  const StatisticsRequest request{in.get<std::uint32_t>()};
  if (in.get<std::uint32_t>() != 0) return fail("statistics request with a reserved field that is not 0");
  return Message{request};
}

Result<Message> unpack_view_statistics(std::span<const std::byte> packet, Unpacker in) {
  if (packet.size() < view_statistics_head_size)
    return fail("statistics of views of {} octets, expected at least {}", packet.size(), view_statistics_head_size);
  ViewStatistics told;
  told.sequence = in.get<std::uint32_t>();
  const auto count = in.get<std::uint32_t>();
  if (count == 0 || count > most_views_told) return fail("statistics of {} views, expected 1 to {}", count, most_views_told);
  if (auto sized = expect_size(packet, view_statistics_head_size + count * view_counts_size, "statistics of views"); !sized)
    return base::pass(std::move(sized));
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto view = in.get<std::uint64_t>();
    if (view >= counted_views) return fail("statistics of view {}, expected one below {}", view, counted_views);
    ViewCounts counts;
    counts.by_verdict = in.get<decltype(counts.by_verdict)>();
    counts.cached = in.get<std::uint64_t>();
    told.views.push_back({static_cast<std::uint32_t>(view), counts});
  }
  return Message{std::move(told)};
}

Result<Message> unpack_gate_statistics(std::span<const std::byte> packet, Unpacker in) {
  if (auto sized = expect_size(packet, gate_statistics_size, "statistics"); !sized) return base::pass(std::move(sized));
  GateStatistics told;
  told.sequence = in.get<std::uint32_t>();
  if (in.get<std::uint32_t>() != 0) return fail("statistics with a reserved field that is not 0");
  const auto since = in.get<std::int64_t>();
  if (since < 0) return fail("statistics since an instant before the machine's start");
  told.statistics.since = instant_of(since);
  for_each_number(told.statistics, [&](std::uint64_t& number) { number = in.get<std::uint64_t>(); });
  return Message{told};
}

Result<Message> unpack_question_logging(std::span<const std::byte> packet, Unpacker in) {
  if (auto sized = expect_size(packet, question_logging_size, "question logging"); !sized) return base::pass(std::move(sized));
  QuestionLogging logging;
  logging.until = instant_of(in.get<std::int64_t>());
  logging.views = in.get<decltype(logging.views)>();
  return Message{logging};
}

Result<Message> unpack_well_origins(std::span<const std::byte> packet, Unpacker in) {
  if (auto sized = expect_size(packet, well_origins_size, "well origins"); !sized) return base::pass(std::move(sized));
  WellOrigins well;
  well.rules_epoch = in.get<std::uint64_t>();
  well.mask = in.get<std::uint64_t>();
  return Message{well};
}

}  // namespace

std::vector<std::byte> encode(const Message& message) {
  return std::visit([](const auto& one) { return pack(one); }, message);
}

Result<Message> decode(std::span<const std::byte> packet) {
  constexpr std::size_t head = 2 * sizeof(std::uint32_t);
  if (packet.size() < head) return fail("message of {} octets, expected at least {}", packet.size(), head);
  if (packet.size() > longest_message) return fail("message of {} octets, expected at most {}", packet.size(), longest_message);
  Unpacker in(packet);
  if (const auto version = in.get<std::uint32_t>(); version != pin_protocol_version)
    return fail("message of protocol version {}, expected {}: restart schultord and schultor-dns together", version,
                pin_protocol_version);
  const auto kind = in.get<std::uint32_t>();
  switch (static_cast<Kind>(kind)) {
    case Kind::announcement:
      return unpack_announcement(packet, in);
    case Kind::pin_request:
      return unpack_request(packet, in);
    case Kind::pin_reply:
      return unpack_reply(packet, in);
    case Kind::health:
      return unpack_health(packet, in);
    case Kind::switches:
      return unpack_switches(packet, in);
    case Kind::statistics_request:
      return unpack_statistics_request(packet, in);
    case Kind::view_statistics:
      return unpack_view_statistics(packet, in);
    case Kind::gate_statistics:
      return unpack_gate_statistics(packet, in);
    case Kind::question_logging:
      return unpack_question_logging(packet, in);
    case Kind::well_origins:
      return unpack_well_origins(packet, in);
  }
  return fail("message of unknown kind {}", kind);
}

}  // namespace schultor::dns
