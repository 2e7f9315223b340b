// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/cache/fetch.hpp"
#include "daemon/cache/store.hpp"
#include "daemon/policy/cache_rules.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace schultor::cache {

/// Everything of the content cache but nginx itself: the hop to the origins, nginx's configuration and health, certificates, what
/// is stored, what is counted.
class ContentCache {
public:
  struct Options {
    std::string runtime = "/run/schultor-cache";       ///< the hop's socket, nginx's configuration
    std::string state = "/var/lib/schultor-cache";     ///< what was counted
    std::string control = "/run/schultor/cache.sock";  ///< schultord's; empty: rules come by set_rules() alone
    std::string certificates = "/var/lib/schultor-certificates";
    unsigned workers = 1;  ///< of nginx
    FetchLimits limits;
    std::function<std::chrono::sys_seconds()> now;  ///< the time of day
  };
  using Purged = std::function<void(const base::Result<Swept>&)>;

  /// `ready` is called once, when nginx may be started or has no reason to be. The loop outlives this.
  [[nodiscard]] static base::Result<std::unique_ptr<ContentCache>> create(base::EventLoop& loop, Options options,
                                                                          std::function<void()> ready);
  ~ContentCache();

  /// None: nothing is to be kept.
  void set_rules(std::optional<policy::CacheRules> rules);
  /// As figures_json(), of all days.
  [[nodiscard]] std::string statistics();
  /// As condemned() takes it. `done` is called once, then or later.
  void purge(const std::string& what, const Purged& done);

private:
  struct Impl;
  explicit ContentCache(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schultor::cache
