// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/program.hpp"

#include "daemon/base/text.hpp"
#include "daemon/base/unique_fd.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

namespace schultor::cache {
namespace {

constexpr std::size_t most_said = 4096;

struct Actions {
  posix_spawn_file_actions_t native{};
  Actions() { posix_spawn_file_actions_init(&native); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  ~Actions() { posix_spawn_file_actions_destroy(&native); }
};

/// The loop has signals blocked, which a program would inherit.
struct Attributes {
  posix_spawnattr_t native{};
  Attributes() {
    posix_spawnattr_init(&native);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&native, &none);
    posix_spawnattr_setflags(&native, POSIX_SPAWN_SETSIGMASK);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { posix_spawnattr_destroy(&native); }
};

base::UniqueFd open_pid(pid_t pid) { return base::UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

}  // namespace

struct Program::Running {
  pid_t pid = -1;
  base::UniqueFd process, output;
  std::function<void(const Outcome&)> ended;
  Outcome outcome;
  base::EventSource reading, ending;

  Running() = default;
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    if (pid < 0) return;
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }

  void read_some() {
    std::array<char, most_said> room{};
    for (;;) {
      const auto got = read(output.get(), room.data(), room.size());
      if (got > 0) {
        const auto left = most_said - std::min(most_said, outcome.said.size());
        outcome.said.append(room.data(), std::min(left, static_cast<std::size_t>(got)));
      } else if (got == 0 || errno != EINTR) {
        if (got == 0) reading.reset();
        return;
      }
    }
  }

  void finish() {
    read_some();
    int status = 0;
    waitpid(std::exchange(pid, -1), &status, 0);
    if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
    while (!outcome.said.empty() && outcome.said.back() == '\n') outcome.said.pop_back();
    outcome.said = base::printable(outcome.said, most_said);
    reading.reset();
    ending.reset();
    ended(outcome);
  }
};

Program::Program(std::unique_ptr<Running> running) : running_(std::move(running)) {}
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

base::Result<Program> Program::run(base::EventLoop& loop, const std::vector<std::string>& argv,
                                   std::function<void(const Outcome&)> ended) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return base::fail_errno(errno, "a pipe");
  auto running = std::make_unique<Running>();
  running->output.reset(ends[0]);
  const base::UniqueFd input(ends[1]);
  Actions actions;
  posix_spawn_file_actions_addopen(&actions.native, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  for (const int to : {STDOUT_FILENO, STDERR_FILENO}) posix_spawn_file_actions_adddup2(&actions.native, input.get(), to);
  std::vector<char*> words;
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const Attributes attributes;
  if (const int error = posix_spawn(&running->pid, words[0], &actions.native, &attributes.native, words.data(), environ);
      error != 0) {
    running->pid = -1;
    return base::fail_errno(error, argv[0]);
  }
  running->process = open_pid(running->pid);
  if (!running->process) return base::fail_errno(errno, argv[0]);
  running->ended = std::move(ended);
  auto reading = loop.watch(running->output.get(), EPOLLIN, [raw = running.get()](std::uint32_t) { raw->read_some(); });
  if (!reading) return base::pass(std::move(reading), argv[0]);
  auto ending = loop.watch(running->process.get(), EPOLLIN, [raw = running.get()](std::uint32_t) { raw->finish(); });
  if (!ending) return base::pass(std::move(ending), argv[0]);
  running->reading = std::move(*reading);
  running->ending = std::move(*ending);
  return Program(std::move(running));
}

}  // namespace schultor::cache
