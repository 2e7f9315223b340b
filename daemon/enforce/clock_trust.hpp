// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/base/wall_clock.hpp"

#include <optional>
#include <string>

/// Whether the time of day can be believed.
namespace schultor::enforce {

/// When this program was built: no clock that is right is behind it (SOURCE_DATE_EPOCH, else when the build was set up).
[[nodiscard]] base::Instant build_time();

/// Decides from what is known; once the clock is right it is believed for as long as this lives.
class ClockTrust {
public:
  /// `path`: where the latest instant is kept that was known to be right. A file that cannot be read counts as none.
  explicit ClockTrust(std::string path);

  [[nodiscard]] bool trusted() const { return trusted_; }
  /// Believes a clock that is synchronised, or not behind what has been already. True where that changed the verdict.
  bool examine(base::Instant now, bool synchronised);
  /// Keeps the instant, once an hour at most, where the clock is synchronised: a clock that is not may be far ahead.
  [[nodiscard]] base::Result<void> remember(base::Instant now, bool synchronised);

private:
  std::string path_;
  base::Instant known_past_;
  std::optional<base::Instant> kept_;
  bool trusted_ = false;
};

}  // namespace schultor::enforce
