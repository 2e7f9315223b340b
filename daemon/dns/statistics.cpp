// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/statistics.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace schultor::dns {
namespace {

/// Buckets of one doubling.
constexpr unsigned steps = 4;
constexpr unsigned step_bits = 2;

std::size_t bucket_of(std::uint64_t microseconds) {
  if (microseconds < steps) return microseconds;
  const auto octave = static_cast<unsigned>(std::bit_width(microseconds)) - 1;
  const auto step = (microseconds >> (octave - step_bits)) & (steps - 1);
  return std::min<std::size_t>((octave - 1) * steps + step, Histogram::buckets - 1);
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  constexpr std::array<std::string_view, verdicts> names{"allowed", "rewritten", "refused", "screened", "own",    "steered",
                                                         "no_type", "fault",     "failed",  "dropped",  "ignored"};
  return names[static_cast<std::size_t>(verdict)];
}

std::string_view to_string(Waited waited) {
  constexpr std::array<std::string_view, waited_kinds> names{"nothing", "resolver", "pins"};
  return names[static_cast<std::size_t>(waited)];
}

std::uint64_t ViewCounts::questions() const { return std::accumulate(by_verdict.begin(), by_verdict.end(), std::uint64_t{0}); }

void Histogram::add(std::chrono::nanoseconds took, std::uint64_t times) {
  const auto microseconds = std::max<std::int64_t>(std::chrono::floor<std::chrono::microseconds>(took).count(), 0);
  counts[bucket_of(static_cast<std::uint64_t>(microseconds))] += times;
}

std::uint64_t Histogram::count() const { return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}); }

std::optional<std::chrono::microseconds> Histogram::quantile(double q) const {
  const auto all = count();
  if (all == 0) return std::nullopt;
  const auto wanted = std::clamp<double>(std::ceil(q * static_cast<double>(all)), 1, static_cast<double>(all));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    seen += counts[i];
    if (static_cast<double>(seen) >= wanted) return end_of(i);
  }
  return end_of(buckets - 1);
}

std::chrono::microseconds Histogram::end_of(std::size_t bucket) {
  if (bucket < steps) return std::chrono::microseconds(bucket + 1);
  const auto octave = bucket / steps + 1;
  return std::chrono::microseconds((bucket % steps + steps + 1) << (octave - step_bits));
}

}  // namespace schultor::dns
