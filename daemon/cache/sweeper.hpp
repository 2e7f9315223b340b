// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/base/unique_fd.hpp"
#include "daemon/cache/store.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

namespace schultor::cache {

/// Looks through what is stored on a thread of its own, one sweep after another: a disk that is slow holds up no answer.
class Sweeper {
public:
  using Sweep = std::function<base::Result<Swept>(const std::atomic<bool>& stop)>;
  using Done = std::function<void(const base::Result<Swept>&)>;

  [[nodiscard]] static base::Result<std::unique_ptr<Sweeper>> create(base::EventLoop& loop);
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;
  /// Stops what is under way; nobody is told.
  ~Sweeper();

  /// `sweep` runs on the thread and touches nothing of its caller's but what it owns; `done` is called on the loop's.
  void begin(Sweep sweep, Done done);
  /// Sweeps that are under way or wait.
  [[nodiscard]] std::size_t depth() const { return waiting_.size(); }

private:
  struct Wish {
    Sweep sweep;
    Done done;
  };
  Sweeper() = default;
  void start();
  void finish();

  base::UniqueFd finished_;  ///< an eventfd
  base::EventSource watching_;
  std::deque<Wish> waiting_;  ///< the first one is under way
  std::optional<base::Result<Swept>> outcome_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace schultor::cache
