// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <algorithm>
#include <chrono>

namespace schultor::report {

/// How long to wait before the next attempt: doubling from `first` to `most`, each shortened by chance to between a
/// half and the whole, so that a city's schools do not all come back in the same second. Pure.
class Backoff {
public:
  using Duration = std::chrono::milliseconds;

  Backoff(Duration first, Duration most) : first_(first), most_(most), step_(first) {}

  /// `chance` is a random number in [0, 1).
  [[nodiscard]] Duration next(double chance) {
    const auto step = step_;
    step_ = std::min(step_ * 2, most_);
    return std::chrono::duration_cast<Duration>(step * (0.5 + chance / 2));
  }
  /// After a success: begins anew.
  void reset() { step_ = first_; }

private:
  Duration first_;
  Duration most_;
  Duration step_;
};

}  // namespace schultor::report
