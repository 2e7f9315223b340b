// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/report/messages.hpp"

#include <cstdint>
#include <optional>
#include <string>

/// Counts for the city. None is about fewer than five devices: what passed while fewer were online is told by nobody, also not
/// later in a sum. Counts are the whole school's; of profiles and groups none is told, since what is left of a sum would be the
/// count of a small one.
namespace schultor::report {

inline constexpr std::uint64_t fewest_devices = 5;

/// Adds up what schultord has counted from one look to the next, until the broker has it. Pure.
class Telemetry {
public:
  /// schultord was looked at. Sums that are smaller than before have begun anew.
  void sampled(const GatewayFacts& facts);

  /// The payload of what is to be told, which is on its way from now on; nothing where something is already, or schultord was not
  /// looked at twice: {"from", "until", "complete", "refused", "allowed", "online"}, the last three null where they are about fewer
  /// than five devices. `complete`: nothing between both instants was left out.
  [[nodiscard]] std::optional<std::string> take();
  /// The broker has what was on its way.
  void delivered();
  /// Nobody knows whether it has: it is told again with all that came since, from the same instant on. Who has both goes by the
  /// later.
  void lost();

private:
  struct Span {
    std::string from;
    std::string until;
    std::uint64_t refused = 0;
    std::uint64_t allowed = 0;
    bool counted = false;  ///< there was a time with enough devices
    bool complete = true;
  };
  static Span joined(const Span& earlier, const Span& later);

  std::optional<GatewayFacts::Traffic> last_{};
  std::string last_time_{};
  std::optional<std::uint64_t> last_online_{};
  std::optional<Span> pending_{};
  std::optional<Span> on_its_way_{};
};

}  // namespace schultor::report
