// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What a benchmark of programs needs around them: processes pinned to a core, what they use of it, and of memory.
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
  [[nodiscard]] double resident_mb() const { return status_mb("VmRSS:"); }
  /// The most of it so far.
  [[nodiscard]] double peak_mb() const { return status_mb("VmHWM:"); }
  /// Its share of memory in MB, where what several processes map counts for each in part (/proc/PID/smaps_rollup).
  [[nodiscard]] double pss_mb() const { return memory_mb("smaps_rollup", "Pss:"); }
  [[nodiscard]] bool alive() const;
  void signal(int number) const;

private:
  explicit Process(pid_t pid) : pid_(pid) {}
  [[nodiscard]] double status_mb(std::string_view field) const { return memory_mb("status", field); }
  /// A line of a file of /proc/PID that counts in kB.
  [[nodiscard]] double memory_mb(std::string_view file, std::string_view field) const;
  pid_t pid_ = 0;
};

/// CPU time so far, in microseconds: of the calling thread, of this process, and of the kernel's own thread for what its interrupts
/// leave to do on one core, to which it turns when there is much.
[[nodiscard]] double thread_cpu_us();
[[nodiscard]] double process_cpu_us();
[[nodiscard]] double softirq_cpu_us(unsigned core);

/// Whether a program is on the PATH.
[[nodiscard]] bool installed(const std::string& program);
/// A program of the build that `benchmark`, the path of this one, lies in: "daemon/app/schultord".
[[nodiscard]] std::string program_beside(const std::string& benchmark, const std::string& program);

}  // namespace schultor::bench
