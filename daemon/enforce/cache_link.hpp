// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/base/unique_fd.hpp"
#include "daemon/cache/cache_protocol.hpp"

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace schultor::enforce {

/// schultord's end of the socket to the content cache: hands over rules, and hears which origins are answered for.
class CacheLink {
public:
  /// Listens on `path` (mode 0660, of `group`, or of the process's own without one): whoever may open it is the cache. `changed`:
  /// it came, went, or told of its health.
  static base::Result<std::unique_ptr<CacheLink>> listen(base::EventLoop& loop, const std::string& path, std::optional<gid_t> group,
                                                         std::function<void()> changed);

  /// From now on these rules (policy::to_json(CacheRules)); none: nothing is kept. A cache that is connected is told at once, and
  /// nothing is well until it has taken them. The same as before change nothing.
  void announce(std::optional<std::string> rules_json);
  [[nodiscard]] bool connected() const { return static_cast<bool>(cache_); }
  /// What the cache that is connected said of the rules that were announced last; nothing is well before.
  [[nodiscard]] const cache::Health& health() const { return health_; }

private:
  CacheLink(base::EventLoop& loop, std::function<void()> changed);
  void on_connection();
  void on_messages();
  void drop(std::string_view why);
  void tell_rules();

  base::EventLoop& loop_;
  std::function<void()> changed_;
  base::UniqueFd listener_{};
  base::EventSource listening_{};
  base::UniqueFd cache_{};
  base::EventSource reading_{};
  base::EventSource resume_{};
  std::uint64_t epoch_;
  std::optional<std::string> rules_json_{};
  cache::Health health_{};
};

}  // namespace schultor::enforce
