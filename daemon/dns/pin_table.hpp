// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/pin_protocol.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace schultor::dns {

/// The monotonic clock, always passed in.
using Time = std::chrono::steady_clock::time_point;

/// How long an address is pinned for: longer than any TTL handed out for it. It does not depend on the answer at hand, so that
/// a gate which was started anew and remembers nothing never shortens a pin that an earlier answer lives by.
[[nodiscard]] std::chrono::seconds pin_lifetime(policy::Doors doors);
/// The highest TTL that may be handed out.
[[nodiscard]] std::chrono::seconds highest_ttl(policy::Doors doors);

/// What the doors of remembered pins mean: pins of another meaning are none.
struct PinMeaning {
  std::uint64_t pins_epoch = 0;  ///< Announcement::pins_epoch
  std::uint64_t doors = 0;       ///< a fingerprint of the list that doors are places in
  bool operator==(const PinMeaning&) const = default;
};

/// What the gate has had pinned and until when, so that a hot name costs no round trip, and so that living pins can be answered
/// from while schultord is away. It lies in memory that a later run of the gate may take over (PinMemory). Bounded: what it does
/// not remember is pinned once more.
class PinTable {
public:
  /// Plain memory of fixed layout; zeros are an empty table.
  struct Slot {
    std::array<std::uint8_t, 16> octets;
    std::int64_t until;        ///< nanoseconds of CLOCK_MONOTONIC; 0: free
    std::uint32_t generation;  ///< of the table's head; another one: free
    std::uint8_t family;
    std::uint8_t door;
    std::uint16_t unused;
  };
  static_assert(sizeof(Slot) == 32);
  struct Head {
    PinMeaning meaning;
    std::uint32_t generation;
    std::uint32_t unused;
    std::uint64_t unused_too;
  };
  static_assert(sizeof(Head) == sizeof(Slot));

  /// In memory of its own, for `most` pins or a few more.
  explicit PinTable(std::size_t most);
  /// In memory that outlives it: `head` and `slots`, a multiple of slots_of_bucket of them.
  PinTable(Head* head, std::span<Slot> slots) : head_(head), slots_(slots) {}
  PinTable(PinTable&&) = default;
  PinTable& operator=(PinTable&&) = default;

  /// Forgets everything that is not of this meaning.
  void keep_for(const PinMeaning& meaning);
  [[nodiscard]] const PinMeaning& meaning() const { return head_->meaning; }

  /// The doors of `doors` whose pin has less life left than an answer with `ttl` wants: less than the TTL, or than
  /// half of what it would be pinned for.
  [[nodiscard]] policy::Doors missing(const base::Address& address, policy::Doors doors, std::chrono::seconds ttl, Time now) const;
  /// How much longer the address is open through every one of `doors`; zero where one is missing.
  [[nodiscard]] std::chrono::seconds left(const base::Address& address, policy::Doors doors, Time now) const;
  /// `entry` was pinned, at `since` or later.
  void pinned(const PinEntry& entry, Time since, Time now);
  void forget();
  /// Of pins that live.
  [[nodiscard]] std::size_t size(Time now) const;

  /// A pin lies in one of the slots of its bucket, or nowhere.
  static constexpr std::size_t slots_of_bucket = 8;

private:
  [[nodiscard]] std::span<Slot> bucket_of(const base::Address& address, unsigned door) const;
  [[nodiscard]] bool holds(const Slot& slot, const base::Address& address, unsigned door) const;
  [[nodiscard]] bool lives(const Slot& slot, Time now) const;
  [[nodiscard]] std::optional<Time> until(const base::Address& address, unsigned door) const;

  std::unique_ptr<Head> own_head_;
  std::vector<Slot> own_slots_;
  Head* head_;
  std::span<Slot> slots_;
};

}  // namespace schultor::dns
