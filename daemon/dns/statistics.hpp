// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

/// What the gate counts, and schultord is told: how many, how long, never who or what. Plain values; all of them only grow from the
/// gate's start on, but for those that say how many there are now.
namespace schultor::dns {

/// What became of a question; each counts once.
enum class Verdict : std::uint8_t {
  allowed,    ///< answered as the resolver said
  rewritten,  ///< answered as another name, for safe search
  refused,    ///< its name is not for this view
  screened,   ///< its name is, but the answer led where it may not
  own,        ///< a special name that the gate knows itself
  steered,    ///< a kept origin's name, answered with the box's own addresses
  no_type,    ///< its name is allowed, but nothing of this type is handed out
  fault,      ///< not understood, or of a kind that is not answered
  failed,     ///< SERVFAIL: the resolver, the pins or room for it was lacking
  dropped,    ///< no answer: its source has used up its share
  ignored,    ///< no answer: no question, or of no view
};
inline constexpr std::size_t verdicts = 11;
/// "allowed", "rewritten", …
[[nodiscard]] std::string_view to_string(Verdict verdict);

/// The questions of a view.
struct ViewCounts {
  std::array<std::uint64_t, verdicts> by_verdict{};  ///< by Verdict
  std::uint64_t cached = 0;                          ///< of them, answered from answers that the gate had kept

  [[nodiscard]] std::uint64_t questions() const;
  bool operator==(const ViewCounts&) const = default;
};
/// Views are counted by their numbers up to here; those from the last one on together. 0: of no view.
inline constexpr std::size_t counted_views = 512;

/// How long something took. Four buckets for each doubling, so that what is read from it is at most a quarter too much.
struct Histogram {
  /// The last one, from 14.7 s, takes all that is longer.
  static constexpr std::size_t buckets = 92;
  std::array<std::uint64_t, buckets> counts{};

  void add(std::chrono::nanoseconds took, std::uint64_t times = 1);
  [[nodiscard]] std::uint64_t count() const;
  /// So long, or less, took a share `q` (0 to 1) of them: the end of the bucket that it falls into. None of nothing.
  [[nodiscard]] std::optional<std::chrono::microseconds> quantile(double q) const;
  /// Where a bucket ends, itself not in it.
  [[nodiscard]] static std::chrono::microseconds end_of(std::size_t bucket);
  bool operator==(const Histogram&) const = default;
};

/// What an answer had to wait for, from when the gate read the question.
enum class Waited : std::uint8_t {
  nothing,   ///< kept, or of the gate's own
  resolver,  ///< and its addresses were open already
  pins,      ///< and for the resolver
};
inline constexpr std::size_t waited_kinds = 3;
[[nodiscard]] std::string_view to_string(Waited waited);

/// Of the resolver, the gate's own questions to see whether it is there included.
struct ResolverCounts {
  std::uint64_t questions = 0;
  std::uint64_t answers = 0;
  std::uint64_t again = 0;      ///< questions that were sent once more
  std::uint64_t silent = 0;     ///< questions that remained without an answer
  std::uint64_t tcp = 0;        ///< answers that were cut short and asked for again over TCP
  std::uint64_t under_way = 0;  ///< now
  bool operator==(const ResolverCounts&) const = default;
};

/// Requests to schultord.
struct PinCounts {
  std::uint64_t requests = 0;
  std::uint64_t addresses = 0;  ///< in them
  std::uint64_t pinned = 0;
  std::uint64_t stale = 0;  ///< decided under rules that hold no longer
  std::uint64_t refused = 0;
  std::uint64_t failed = 0;  ///< the kernel refused
  std::uint64_t lost = 0;    ///< not sent, or never answered: schultord is away
  bool operator==(const PinCounts&) const = default;
};

/// Of the gate as a whole; its views are told beside it.
struct Statistics {
  std::chrono::steady_clock::time_point since{};   ///< its start: CLOCK_MONOTONIC, which both ends share
  std::array<Histogram, waited_kinds> answered{};  ///< by Waited
  ResolverCounts resolver;
  Histogram round_trip;  ///< of the resolver's answers over UDP, from the first time that it was asked
  PinCounts pins;
  std::uint64_t waiting = 0;  ///< questions under way now
  bool operator==(const Statistics&) const = default;
};

}  // namespace schultor::dns
