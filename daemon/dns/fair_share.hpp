// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/pin_table.hpp"

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <functional>
#include <unordered_map>

namespace schultor::dns {

/// So that a tablet that floods takes nothing from the others: how many questions of one source are heard in a second, and how
/// many may wait for the resolver or for pins at once. It keeps no history: the counters of a second, and the key that sources are
/// hashed with, are thrown away with it; of what waits nothing is known but that it waits. Sources that share both counters share
/// their quota, for one second.
class FairShare {
public:
  /// `random` gives 64 bits that nobody can guess.
  explicit FairShare(std::function<std::uint64_t()> random);

  /// Whether a question from `source` is to be heard.
  [[nodiscard]] bool admit(const in6_addr& source, Time now);
  /// Whether one more of `source` may wait; leave() follows when it does not any more.
  [[nodiscard]] bool enter(const in6_addr& source);
  void leave(const in6_addr& source);

private:
  struct Key {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
  };
  [[nodiscard]] Key fresh_key() { return {random_(), random_()}; }
  [[nodiscard]] static std::uint64_t hash(const Key& key, const in6_addr& source);

  std::function<std::uint64_t()> random_;
  Key second_key_;
  Key waiting_key_;
  Time second_{};
  std::array<std::uint16_t, 8192> heard_{};
  std::unordered_map<std::uint64_t, std::uint32_t> waiting_;
};

}  // namespace schultor::dns
