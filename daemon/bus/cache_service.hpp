// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"

#include <functional>
#include <memory>
#include <string>

namespace schultor::bus {

/// org.schultor.Cache1 on the system bus: what the content cache spares the line, and what is to be done with what it holds.
class CacheService {
public:
  /// Called once, then or later.
  using Answer = std::function<void(const base::Result<std::string>& json)>;

  /// What the service leads to.
  struct Commands {
    std::function<std::string()> statistics;  ///< JSON
    std::function<void(const std::string& what, const Answer& done)>
        purge;  ///< an address, an origin's name, or nothing: everything
  };

  /// Fails when there is no bus or the name may not be owned.
  [[nodiscard]] static base::Result<std::unique_ptr<CacheService>> create(base::EventLoop& loop, Commands commands);
  ~CacheService();

private:
  struct Impl;
  explicit CacheService(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schultor::bus
