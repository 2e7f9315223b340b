// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/base/unique_fd.hpp"
#include "daemon/cache/cache_protocol.hpp"
#include "daemon/policy/cache_rules.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace schultor::cache {

/// The cache's end of the socket to schultord. Connects again, a little later each time, for as long as it lives.
class SchultordLink {
public:
  struct Handlers {
    /// From now on these rules; none: nothing is to be kept. What is under way goes on.
    std::function<void(std::optional<policy::CacheRules>)> rules;
    /// A connection ended, or the first attempt at one failed. The rules that came last go on, and schultord steers nobody.
    std::function<void(const base::Error& why)> lost;
  };

  /// Borrows the loop.
  SchultordLink(base::EventLoop& loop, std::string path, Handlers handlers);
  /// Begins; what fails is told to `lost` and tried again.
  void start();
  /// Of the origins of the rules that came last: their epoch is put in here. To be called after each handing over of rules, before
  /// which nothing is well, also where a new connection brings the same ones; while there is no connection it does nothing.
  void tell_health(const Health& health);
  /// Rules came over the connection that holds.
  [[nodiscard]] bool connected() const { return epoch_.has_value(); }

private:
  void attempt();
  base::Result<void> connect_now();
  void receive();
  base::Result<void> take(const Rules& rules, std::vector<base::UniqueFd> descriptors);
  void drop(const base::Error& why);

  base::EventLoop& loop_;
  std::string path_;
  Handlers handlers_;
  base::UniqueFd fd_;
  base::EventSource source_;
  base::EventSource retry_;
  std::chrono::milliseconds delay_;
  std::optional<std::uint64_t> epoch_;  // of the rules of this connection
  bool told_ = false;                   // that it is away
};

}  // namespace schultor::cache
