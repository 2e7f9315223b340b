// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <chrono>
#include <optional>

namespace schultor::dns {

/// How long the resolver takes, smoothed, and what of its silence is therefore too long (RFC 6298). Pure.
class RoundTrip {
public:
  using Duration = std::chrono::microseconds;

  /// From a question to the answer to that very packet: an answer tells which of several it belongs to, so that what was sent
  /// again counts as well.
  void measured(Duration took);
  /// After how much silence to ask again, within limits::upstream_retry_least and upstream_retry_most; the latter before anything
  /// was measured.
  [[nodiscard]] Duration retry_after() const;

private:
  std::optional<Duration> smoothed_;
  Duration variation_{0};
};

}  // namespace schultor::dns
