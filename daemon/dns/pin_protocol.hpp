// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"
#include "daemon/base/result.hpp"
#include "daemon/dns/statistics.hpp"
#include "daemon/policy/gate_rules.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

/// What schultord and the DNS gate say to each other over their SOCK_SEQPACKET socket, one message a packet, in host
/// byte order: both ends run on the same machine.
///
///   schultord → gate   Announcement, with descriptors (SCM_RIGHTS), on connect and after every change of the rules
///   gate → schultord   PinRequest, Health
///   schultord → gate   PinReply, one for each PinRequest, after the kernel's acknowledgement
///   schultord → gate   Switches, on connect and whenever they change; nobody waits for it
///   schultord → gate   StatisticsRequest, when somebody wants to know
///   schultord → gate   QuestionLogging, when an administrator wants it or not any more; it ends with the connection
///   schultord → gate   WellOrigins, on connect and whenever it changes; until then the gate takes none for well
///   gate → schultord   ViewStatistics, as many as it takes, then GateStatistics
///
/// Pure: bytes in, values out. schultord reads the gate's messages as a stranger's.
namespace schultor::dns {

inline constexpr std::uint32_t pin_protocol_version = 4;
/// Of one PinRequest; a longer one is refused.
inline constexpr std::size_t most_pins = 256;
inline constexpr std::size_t longest_message = 32 + most_pins * 32;
/// A lifetime beyond this is refused.
inline constexpr std::chrono::seconds longest_lifetime{2 * 86400};

/// Descriptors that travel with it, in this order: a sealed memfd holding policy::to_json(GateRules); in the first one of a
/// connection only, the gate's UDP socket (IPv6, dual stack, with SO_RCVMARK) and its TCP listener (tcp_fwmark_accept); and, where
/// the rules name lists, the table of lists that these rules are of, in a sealed memfd as well.
struct Announcement {
  std::uint64_t rules_epoch = 0;  ///< changes with the rules; a PinRequest names the epoch that it was decided under
  std::uint64_t pins_epoch = 0;   ///< changes when pins were lost: the gate then forgets what it has pinned
  bool with_table = false;
  bool operator==(const Announcement&) const = default;
};

struct PinEntry {
  base::Address address;
  policy::Doors doors = 0;  ///< not 0
  std::chrono::seconds lifetime{0};
  bool operator==(const PinEntry&) const = default;
};

struct PinRequest {
  std::uint32_t sequence = 0;
  std::uint64_t rules_epoch = 0;
  std::vector<PinEntry> entries;  ///< 1 to most_pins
  bool operator==(const PinRequest&) const = default;
};

enum class PinStatus : std::uint32_t {
  pinned = 0,
  stale = 1,    ///< decided under rules that no longer hold: ask again after the announcement that is under way
  refused = 2,  ///< not understood, or not allowed
  failed = 3,   ///< the kernel refused; nothing was pinned
};

struct PinReply {
  std::uint32_t sequence = 0;
  PinStatus status = PinStatus::failed;
  bool operator==(const PinReply&) const = default;
};

/// The gate's word on its upstream, sent when it changes.
struct Health {
  bool resolver_answers = false;
  bool operator==(const Health&) const = default;
};

/// When the groups that have a view next get another: what a view's tablets are refused, they are to ask for again from then on.
/// A switch itself is no word to the gate.
struct Switches {
  /// CLOCK_MONOTONIC, which both ends share; max(): none is known ahead.
  using Instant = std::chrono::steady_clock::time_point;
  struct View {
    std::uint32_t view = 0;
    Instant at{};
    bool operator==(const View&) const = default;
  };
  std::vector<View> views;  ///< at most most_switches
  Instant others = Instant::max();
  bool operator==(const Switches&) const = default;
};
inline constexpr std::size_t most_switches = 500;

/// What has the gate tell what it has counted. Nobody waits for it but whoever wants to know.
struct StatisticsRequest {
  std::uint32_t sequence = 0;
  bool operator==(const StatisticsRequest&) const = default;
};

/// Of views that were asked at all, a part of them.
struct ViewStatistics {
  struct View {
    std::uint32_t view = 0;  ///< below counted_views
    ViewCounts counts;
    bool operator==(const View&) const = default;
  };
  std::uint32_t sequence = 0;  ///< of the request
  std::vector<View> views;     ///< 1 to most_views_told
  bool operator==(const ViewStatistics&) const = default;
};
inline constexpr std::size_t most_views_told = 78;

/// The last part: with it all is told. `since` is none before the machine's start.
struct GateStatistics {
  std::uint32_t sequence = 0;  ///< of the request
  Statistics statistics;
  bool operator==(const GateStatistics&) const = default;
};

/// Has the gate write questions to its journal: name, type, profile and verdict, never who asked.
struct QuestionLogging {
  std::chrono::steady_clock::time_point until{};  ///< CLOCK_MONOTONIC; past: not any more
  std::array<std::uint32_t, 2> views{};           ///< of these; zeros: of all
  bool operator==(const QuestionLogging&) const = default;
};

/// The kept origins that the cache answers for: names of these alone are steered. They are places in the rules of an epoch; under
/// other rules none is well.
struct WellOrigins {
  std::uint64_t rules_epoch = 0;
  std::uint64_t mask = 0;  ///< bit i: the origin with SteeredHost::origin i
  bool operator==(const WellOrigins&) const = default;
};

using Message = std::variant<Announcement, PinRequest, PinReply, Health, Switches, StatisticsRequest, ViewStatistics,
                             GateStatistics, QuestionLogging, WellOrigins>;

[[nodiscard]] std::vector<std::byte> encode(const Message& message);
/// Refuses anything that is too short, too long, of another version, or holds a value out of range.
[[nodiscard]] base::Result<Message> decode(std::span<const std::byte> packet);

}  // namespace schultor::dns
