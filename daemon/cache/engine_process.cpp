// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/engine_process.hpp"

#include "daemon/base/file.hpp"
#include "daemon/base/unique_fd.hpp"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <optional>

namespace schultor::cache {
namespace {

std::optional<pid_t> read_pid(const std::string& text) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc{} || pid <= 1) return std::nullopt;
  return pid;
}

}  // namespace

base::Result<void> signal_engine(const std::string& runtime, EngineSignal signal) {
  const auto path = runtime + "/nginx.pid";
  const auto text = base::read_file(path, 64);
  if (!text) return base::fail("{}", text.error().what());
  const auto pid = *text ? read_pid(**text) : std::nullopt;
  if (!pid) return {};
  // From here on the descriptor is of one process, whoever gets its number later.
  const base::UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, *pid, 0)));
  if (!process) return {};
  const auto name = base::read_file(fmt::format("/proc/{}/comm", *pid), 64);
  if (!name || !*name || **name != "nginx\n") return {};
  const int number = signal == EngineSignal::reload ? SIGHUP : SIGUSR1;
  if (syscall(SYS_pidfd_send_signal, process.get(), number, nullptr, 0) != 0 && errno != ESRCH)
    return base::fail_errno(errno, fmt::format("nginx (process {})", *pid));
  return {};
}

}  // namespace schultor::cache
