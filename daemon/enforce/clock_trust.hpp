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

/// Decides from what is known. A clock is believed that is synchronised, or not behind what has been already: when this program was
/// built, and the last instant that was written down. One that is believed stays so, unless it is set back behind that.
class ClockTrust {
public:
  /// `path`: where the instant is kept. A file that cannot be read counts as none.
  explicit ClockTrust(std::string path);

  [[nodiscard]] bool trusted() const { return trusted_; }
  /// What examine() would find.
  [[nodiscard]] bool judge(base::Instant now, bool synchronised) const;
  /// True where the verdict is another one now.
  bool examine(base::Instant now, bool synchronised);
  /// Writes the instant down, of a clock that is believed; to be called now and then. One that is synchronised is right even where
  /// it is behind what was written.
  [[nodiscard]] base::Result<void> remember(base::Instant now, bool synchronised);

private:
  std::string path_;
  base::Instant known_past_;
  bool trusted_ = false;
};

}  // namespace schultor::enforce
