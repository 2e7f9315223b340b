// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/policy/policy.hpp"
#include "netfilter/neighbours/table.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace schultor::enforce {

/// Whether values take turns: each was there again after another one had been there, twice at least within `span`. A value that
/// another one takes the place of for good, as an address after a new lease, never does.
template <typename Value>
class Turns {
public:
  using Instant = netfilter::neighbours::Instant;
  static constexpr std::chrono::minutes span{5};
  static constexpr std::size_t most = 16;  ///< that are remembered

  /// `value` was there just now. True where they take turns.
  bool note(const Value& value, Instant now) {
    while (!seen_.empty() && (seen_.front().second + span <= now || seen_.size() >= most)) seen_.erase(seen_.begin());
    if (!seen_.empty() && seen_.back().first == value) {
      seen_.back().second = now;
      return false;
    }
    seen_.emplace_back(value, now);
    std::size_t returns = 0;
    for (std::size_t i = 0; i < seen_.size(); ++i)
      for (std::size_t earlier = 0; earlier < i; ++earlier)
        if (seen_[earlier].first == seen_[i].first) {
          ++returns;
          break;
        }
    return returns >= 2;
  }
  [[nodiscard]] bool is_over(Instant now) const { return seen_.empty() || seen_.back().second + span <= now; }

private:
  std::vector<std::pair<Value, Instant>> seen_;
};

/// A device that passes for another one, as far as neighbours show it.
struct Impostor {
  std::string text;   ///< for the city: without a MAC address, and naming no group of fewer than five devices
  std::string local;  ///< for the journal of this machine
};

/// Finds devices of one MAC address that are two, from what is confirmed of them:
/// - one that answers for two IPv4 addresses of one interface by turns. That both are in the kernel's table says nothing: the old
/// one of
///   a device with a new lease is there as well, and it may have answered for it within the same minute. (Of IPv6 a device has
///   several by nature.)
/// - one of the roster that answers behind two interfaces by turns. Once there and then here is a tablet that was carried.
/// - one of the roster that answers behind the interface of another group. The interface of the unknown group is nobody's.
/// Each is found once, and again when it has not been seen for an hour. Nothing is kept for longer, and nothing on disk.
class Impostors {
public:
  using Instant = netfilter::neighbours::Instant;
  static constexpr std::chrono::hours until_again{1};
  static constexpr std::size_t most_devices = 16'384;  ///< that are looked at at the same time
  static constexpr std::size_t fewest = 5;             ///< devices of a group that the city is told of

  std::vector<Impostor> look(const policy::Policy& policy, const netfilter::neighbours::Confirmation& confirmed, Instant now);

private:
  enum class Kind : std::uint8_t { two_addresses, two_interfaces, foreign_interface };
  struct Trail {
    std::map<std::string, Turns<base::Address>> addresses{};  // of IPv4, by interface
    Turns<std::string> interfaces{};
  };
  bool is_news(Kind kind, const base::Mac& mac, Instant now);
  Trail* trail_of(const base::Mac& mac, Instant now);
  void forget(Instant now);

  std::map<base::Mac, Trail> trails_;
  std::map<std::pair<base::Mac, Kind>, Instant> found_;  // when it was seen last
  Instant swept_{};
};

}  // namespace schultor::enforce
