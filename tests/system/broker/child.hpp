// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/unique_fd.hpp"

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace schultor::broker_test {

/// Longer than anything here takes on a busy machine; a wait ends at its event.
inline constexpr std::chrono::seconds deadline{60};

/// A program at work: what it says is read line by line, and it is gone (SIGKILL) with this object or its test.
class Child {
public:
  /// argv[0] is looked up on PATH. `environment`: further "NAME=value".
  Child(const std::vector<std::string>& argv, const std::vector<std::string>& environment = {});
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  /// A line to its standard input.
  void tell(const std::string& line);
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Sends the signal and waits for the end; the status of waitpid(2).
  int end(int signal);
  /// Waits for its end by itself.
  int wait();

  /// Waits until a line for which `wanted` holds was said since the last mark(); that line. Throws with all that was said when it
  /// does not come in time or the program ends.
  std::string line(const std::function<bool(const std::string&)>& wanted);
  std::string line_with(const std::string& part);
  /// Waits until `enough` holds of all lines said since the last mark().
  void until(const std::function<bool(const std::vector<std::string>&)>& enough);
  /// What was said since the last mark().
  std::vector<std::string> lines();
  /// Lines that come from now on are looked at.
  void mark();

private:
  void read_lines();
  std::string all_said() const;

  std::string name_;
  pid_t pid_ = -1;
  base::UniqueFd input_;
  base::UniqueFd output_;
  std::thread reader_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> said_;
  std::size_t mark_ = 0;
  bool ended_ = false;
};

}  // namespace schultor::broker_test
