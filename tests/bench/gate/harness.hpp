// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "tests/bench/lib/measuring.hpp"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

/// What a benchmark of servers needs around them: processes pinned to a core and their CPU time.
namespace schultor::bench {

/// Binds the calling thread, and what it starts later, to one core; the last one there is where the machine has fewer.
void use_core(unsigned core);

/// A child process on a core of its own, killed and waited for at the end.
class Process {
public:
  /// A program; its output goes to `log`.
  static Process start(const std::vector<std::string>& command, unsigned core, const std::string& log);
  /// A function of this program; it must not return.
  static Process start(const std::function<void()>& body, unsigned core);
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Process& operator=(Process&&) = delete;
  ~Process();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// What its threads have used of the processor so far, in microseconds (/proc/PID/task/*/schedstat).
  [[nodiscard]] double cpu_us() const;
  /// Resident memory in MB (/proc/PID/status).
  [[nodiscard]] double resident_mb() const;
  [[nodiscard]] bool alive() const;
  void signal(int number) const;

private:
  explicit Process(pid_t pid) : pid_(pid) {}
  pid_t pid_ = 0;
};

/// Whether a program is on the PATH.
[[nodiscard]] bool installed(const std::string& program);
/// Asks the DNS server on a loopback port until it answers; gives up after ten minutes, with its `log`: peers take long to load
/// millions of names.
/// Until a question for `name` has an answer: records, or NXDOMAIN where it is to be `refused`. Asked anew every few milliseconds.
void await_dns(std::uint16_t port, std::uint32_t mark, const std::string& name, const std::string& log, bool refused = false);

}  // namespace schultor::bench
