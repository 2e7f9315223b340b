// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/pin_protocol.hpp"
#include "daemon/dns/pin_table.hpp"
#include "daemon/dns/statistics.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace schultor::dns {

/// What the gate counts of questions and pins: a few increments a question, no memory taken and no clock read for it.
class GateCounters {
public:
  void count(std::uint32_t view, Verdict verdict) { ++of(view).by_verdict[static_cast<std::size_t>(verdict)]; }
  void count_kept(std::uint32_t view, Verdict verdict) {
    count(view, verdict);
    ++of(view).cached;
  }
  /// An answer that waited for nothing, to a question that was read `at`. They leave together: how long they took is known at the
  /// end of the turn.
  void at_once(Time at) {
    if (at_once_++ == 0) at_once_since_ = at;
  }
  void answered(Waited waited, Time::duration took) { of(waited).add(took); }
  void end_of_turn(Time now) {
    if (at_once_ > 0) of(Waited::nothing).add(now - at_once_since_, std::exchange(at_once_, 0));
  }

  void requested(std::size_t addresses) {
    ++pins.requests;
    pins.addresses += addresses;
  }
  void replied(PinStatus status) {
    switch (status) {
      case PinStatus::pinned:
        ++pins.pinned;
        break;
      case PinStatus::stale:
        ++pins.stale;
        break;
      case PinStatus::refused:
        ++pins.refused;
        break;
      case PinStatus::failed:
        ++pins.failed;
        break;
    }
  }

  PinCounts pins;

  [[nodiscard]] const std::array<Histogram, waited_kinds>& answered() const { return answered_; }
  /// By number of the view.
  [[nodiscard]] const std::vector<ViewCounts>& views() const { return views_; }

private:
  [[nodiscard]] ViewCounts& of(std::uint32_t view) { return views_[std::min<std::size_t>(view, counted_views - 1)]; }
  [[nodiscard]] Histogram& of(Waited waited) { return answered_[static_cast<std::size_t>(waited)]; }

  std::vector<ViewCounts> views_ = std::vector<ViewCounts>(counted_views);
  std::array<Histogram, waited_kinds> answered_{};
  std::uint64_t at_once_ = 0;
  Time at_once_since_{};
};

}  // namespace schultor::dns
