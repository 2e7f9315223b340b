// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/enforce/hold_down.hpp"
#include "daemon/enforce/impostors.hpp"
#include "daemon/policy/selectors.hpp"
#include "netfilter/neighbours/follower.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace schultor::enforce {

/// The devices of the LAN as they are now, by the kernel's neighbour tables. Nothing of it is kept on disk, and no MAC address
/// leaves but for devices_json(), and for the journal where one passes for another.
class LanDevices {
public:
  /// `tell`: of a device that passes for another one, in words for the city.
  LanDevices(base::EventLoop& loop, std::function<void(const std::string& text)> tell);

  /// Follows these interfaces from now on. What cannot be followed is logged, and tried again.
  void configure(std::shared_ptr<const policy::Policy> policy, const std::vector<std::string>& interfaces);

  /// Of each of Policy::groups, in their order, counted at most once a second; none where neighbours cannot be followed now.
  [[nodiscard]] std::optional<std::vector<std::size_t>> online();
  /// See enforce::devices_json().
  [[nodiscard]] base::Result<std::string> devices_json();

private:
  using Instant = netfilter::neighbours::Instant;
  [[nodiscard]] base::Result<void> begin();
  void try_to_begin();
  void read();
  void arm(std::chrono::microseconds delay, void (LanDevices::*then)());
  void judge(const netfilter::neighbours::Confirmation& confirmed, Instant now);

  base::EventLoop& loop_;
  HoldDown told_;
  std::shared_ptr<const policy::Policy> policy_;
  std::optional<policy::Selectors> selectors_;
  std::set<std::string> interfaces_;
  std::optional<netfilter::neighbours::Follower> follower_;
  base::EventSource readable_{};  // goes before its descriptor does
  base::EventSource timer_{};
  Impostors impostors_;
  std::optional<std::vector<std::size_t>> counts_{};
  Instant counted_{};
};

}  // namespace schultor::enforce
