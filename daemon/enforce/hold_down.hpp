// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace schultor::enforce {

/// Tells of what happens again and again: the first at once, and those that follow within a minute (`span`) together when it is
/// over.
class HoldDown {
public:
  using Tell = std::function<void(const std::string& text)>;
  /// How many more there were, and what was given of the last.
  using Summary = std::function<std::string(std::size_t more, const std::string& last)>;

  /// Borrows the loop.
  HoldDown(base::EventLoop& loop, Tell tell, Summary summary, std::chrono::microseconds span = std::chrono::minutes(1))
      : loop_(loop), tell_(std::move(tell)), summary_(std::move(summary)), span_(span) {}

  /// `last`: what the summary is to say of it. `urgent`: is told by itself, also within the minute.
  void happened(const std::string& text, const std::string& last, bool urgent = false);
  /// Those that wait to be told together; none: the next one is told at once.
  [[nodiscard]] std::optional<std::size_t> held() const { return held_ ? std::optional(held_->more) : std::nullopt; }

private:
  struct Held {
    std::size_t more;
    std::string last;
  };
  base::EventLoop& loop_;
  Tell tell_;
  Summary summary_;
  std::chrono::microseconds span_;
  std::optional<Held> held_{};
  base::EventSource end_{};
};

}  // namespace schultor::enforce
