// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/pin_protocol.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

namespace schultor::dns {

/// The monotonic clock, always passed in.
using Time = std::chrono::steady_clock::time_point;

/// How long an address is pinned for: longer than any TTL handed out for it. It does not depend on the answer at hand, so that
/// a gate which was started anew and remembers nothing never shortens a pin that an earlier answer lives by.
[[nodiscard]] std::chrono::seconds pin_lifetime(policy::Doors doors);
/// The highest TTL that may be handed out.
[[nodiscard]] std::chrono::seconds highest_ttl(policy::Doors doors);

/// What the gate has had pinned and until when, so that a hot name costs no round trip. Bounded: what it
/// does not remember is pinned once more.
class PinTable {
public:
  explicit PinTable(std::size_t most) : most_(most) {}

  /// The doors of `doors` whose pin has less life left than an answer with `ttl` wants: less than the TTL, or than
  /// half of what it would be pinned for.
  [[nodiscard]] policy::Doors missing(const base::Address& address, policy::Doors doors, std::chrono::seconds ttl, Time now) const;
  /// How much longer the address is open through every one of `doors`; zero where one is missing.
  [[nodiscard]] std::chrono::seconds left(const base::Address& address, policy::Doors doors, Time now) const;
  /// `entry` was pinned, at `since` or later.
  void pinned(const PinEntry& entry, Time since, Time now);
  void forget() { until_.clear(); }
  [[nodiscard]] std::size_t size() const { return until_.size(); }

private:
  struct Key {
    base::Address address;
    std::uint8_t door = 0;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };
  [[nodiscard]] std::optional<Time> until(const base::Address& address, unsigned door) const;

  std::size_t most_;
  std::unordered_map<Key, Time, Hash> until_;
  Time swept_{};
};

}  // namespace schultor::dns
