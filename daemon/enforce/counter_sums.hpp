// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::enforce {

/// A counter as the kernel has it at a moment.
struct CounterReading {
  std::string name;
  std::uint64_t handle = 0;  ///< another one where the counter was made anew
  std::uint64_t packets = 0;
};

/// What the ruleset's counters have counted since the machine started, also where one was made anew or set to 0 meanwhile: what it
/// counted since the reading before that is lost, and no sum ever falls. Pure.
class CounterSums {
public:
  /// All counters there are. True where that changed anything.
  bool take(const std::vector<CounterReading>& readings);
  /// By the counter's name; also of counters that have gone.
  [[nodiscard]] std::map<std::string, std::uint64_t> sums() const;

  [[nodiscard]] std::string to_json() const;
  [[nodiscard]] static base::Result<CounterSums> from_json(std::string_view json);
  bool operator==(const CounterSums&) const = default;

private:
  struct Counter {
    std::uint64_t before = 0;  ///< what its predecessors have counted
    std::uint64_t handle = 0;
    std::uint64_t packets = 0;
    bool operator==(const Counter&) const = default;
  };
  std::map<std::string, Counter> counters_;
};

}  // namespace schultor::enforce
