// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace schultor::enforce {

/// One thread for what takes seconds, such as a slow disk, while a switch that is due waits for nobody.
class Background {
public:
  Background() = default;
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  /// Waits for what is at work.
  ~Background() { wait(); }

  [[nodiscard]] bool is_busy() const { return !is_done_; }
  /// After what is at work, for which it waits. `work` touches nothing of its caller's but what it owns; signals stay with the
  /// caller. Where there is no thread to be had it is done at once.
  void begin(std::function<void()> work);
  void wait();

private:
  std::thread worker_;
  std::atomic<bool> is_done_ = true;
};

}  // namespace schultor::enforce
