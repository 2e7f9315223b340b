// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/cache/fetch.hpp"
#include "daemon/cache/http_server.hpp"
#include "daemon/policy/cache_rules.hpp"

#include <memory>
#include <string>

namespace schultor::cache {

/// The origin hop: what the engine asks it over a unix socket, it asks origins, and says whether and for how long what they answer
/// may be stored.
class Hop {
public:
  struct Options {
    std::string socket = "/run/schultor-cache/hop.sock";
    FetchLimits limits;
  };

  static base::Result<std::unique_ptr<Hop>> create(base::EventLoop& loop, Options options);
  ~Hop();

  /// Before the first rules no host is an origin's. Requests that are under way go on under the rules with which they began. On
  /// error the old rules stay.
  [[nodiscard]] base::Result<void> set_rules(policy::CacheRules rules);
  [[nodiscard]] const FetchCounts& counts() const;

private:
  struct Impl;
  explicit Hop(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schultor::cache
