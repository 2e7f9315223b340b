// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/lib/process.hpp"

#include "tests/bench/lib/measuring.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

namespace schultor::bench {
namespace {

unsigned existing(unsigned core) { return std::min(core, std::max(1U, std::thread::hardware_concurrency()) - 1); }

double clock_us(clockid_t clock) {
  timespec used{};
  clock_gettime(clock, &used);
  return static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3;
}

/// /proc/PID of a thread of the kernel.
std::filesystem::path kernel_thread(const std::string& name) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::string found;
    if (std::ifstream(entry.path() / "comm") >> found && found == name) return entry.path();
  }
  return {};
}

}  // namespace

void use_core(unsigned core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(existing(core), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) give_up("a core of its own");
}

Process Process::start(const std::function<void()>& body, unsigned core) {
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid < 0) give_up("fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    use_core(core);
    body();
    std::_Exit(1);
  }
  return Process(pid);
}

Process Process::start(const std::vector<std::string>& command, unsigned core, const std::string& log) {
  return start(
      [&] {
        const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        std::vector<char*> words;
        for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
        words.push_back(nullptr);
        execvp(words.front(), words.data());
      },
      core);
}

Process::~Process() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

double Process::cpu_us() const {
  double sum = 0;
  std::error_code ignored;
  for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid_), ignored)) {
    double nanoseconds = 0;
    if (std::ifstream(task.path() / "schedstat") >> nanoseconds) sum += nanoseconds / 1000;
  }
  return sum;
}

double Process::memory_mb(std::string_view file, std::string_view field) const {
  std::ifstream lines(fmt::format("/proc/{}/{}", pid_, file));
  for (std::string line; std::getline(lines, line);)
    if (line.rfind(field, 0) == 0) return std::stod(line.substr(field.size())) / 1024;
  return 0;
}

bool Process::alive() const { return waitpid(pid_, nullptr, WNOHANG) == 0; }

void Process::signal(int number) const { kill(pid_, number); }

double thread_cpu_us() { return clock_us(CLOCK_THREAD_CPUTIME_ID); }
double process_cpu_us() { return clock_us(CLOCK_PROCESS_CPUTIME_ID); }

double softirq_cpu_us(unsigned core) {
  static std::map<unsigned, std::filesystem::path> threads;
  auto& thread = threads[existing(core)];
  if (thread.empty()) thread = kernel_thread(fmt::format("ksoftirqd/{}", existing(core)));
  double nanoseconds = 0;
  // Where they cannot be seen, what they do is not counted.
  std::ifstream(thread / "schedstat") >> nanoseconds;
  return nanoseconds / 1000;
}

bool installed(const std::string& program) {
  std::istringstream path(std::string(std::getenv("PATH")) + ":/usr/sbin:/sbin");
  for (std::string folder; std::getline(path, folder, ':');)
    if (access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  return false;
}

std::string program_beside(const std::string& benchmark, const std::string& program) {
  return (std::filesystem::path(benchmark).parent_path() / "../.." / program).lexically_normal().string();
}

}  // namespace schultor::bench
