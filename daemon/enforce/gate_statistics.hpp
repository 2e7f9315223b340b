// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/wall_clock.hpp"
#include "daemon/dns/pin_protocol.hpp"
#include "daemon/enforce/numbers.hpp"
#include "daemon/policy/policy.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace schultor::enforce {

/// What the gate told of itself.
struct ToldStatistics {
  std::chrono::steady_clock::time_point at{};  ///< when
  dns::Statistics gate{};
  std::map<std::uint32_t, dns::ViewCounts> views{};  ///< by number
};

/// Puts together what the gate tells in parts. What was not asked for, or too long ago, is passed over.
class StatisticsInquiry {
public:
  /// What to ask the gate; parts of earlier answers are not taken from here on.
  [[nodiscard]] dns::StatisticsRequest ask();
  void take(const dns::ViewStatistics& part);
  /// Whether with it the answer is whole.
  bool take(const dns::GateStatistics& last, std::chrono::steady_clock::time_point now);
  /// The last answer that was whole.
  [[nodiscard]] const std::optional<ToldStatistics>& told() const { return told_; }

private:
  std::uint32_t sequence_ = 0;
  bool asking_ = false;
  std::map<std::uint32_t, dns::ViewCounts> views_;
  std::optional<ToldStatistics> told_;
};

/// One instant on both clocks.
struct Now {
  base::Instant wall{};
  std::chrono::steady_clock::time_point monotonic{};
};

/// The JSON that Manager.GateStatistics answers with: see schultord(8). `connected`: whether the gate is. Pure.
[[nodiscard]] std::string to_json(const policy::Policy& policy, const Numbers& numbers, bool connected,
                                  const std::optional<ToldStatistics>& told, const Now& now);

}  // namespace schultor::enforce
