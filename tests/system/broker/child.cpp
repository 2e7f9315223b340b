// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/system/broker/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace schultor::broker_test {
namespace {

using base::UniqueFd;

std::pair<UniqueFd, UniqueFd> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace

Child::Child(const std::vector<std::string>& argv, const std::vector<std::string>& environment) : name_(argv.at(0)) {
  auto [stdin_read, stdin_write] = make_pipe();
  auto [stdout_read, stdout_write] = make_pipe();
  std::vector<char*> arguments;
  for (const auto& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(stdin_read.get(), STDIN_FILENO);
    dup2(stdout_write.get(), STDOUT_FILENO);
    dup2(stdout_write.get(), STDERR_FILENO);
    for (const auto& variable : environment) putenv(const_cast<char*>(variable.c_str()));
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  input_ = std::move(stdin_write);
  output_ = std::move(stdout_read);
  reader_ = std::thread([this] { read_lines(); });
}

Child::~Child() {
  if (pid_ > 0) end(SIGKILL);
  reader_.join();
}

void Child::tell(const std::string& line) {
  const std::string text = line + "\n";
  if (write(input_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw std::runtime_error(name_ + " listens no more");
}

int Child::end(int signal) {
  kill(pid_, signal);
  return wait();
}

int Child::wait() {
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

void Child::read_lines() {
  std::string rest;
  std::array<char, 65536> buffer{};
  for (;;) {
    const auto size = read(output_.get(), buffer.data(), buffer.size());
    const std::lock_guard lock(mutex_);
    if (size <= 0) {
      ended_ = true;
      changed_.notify_all();
      return;
    }
    rest.append(buffer.data(), static_cast<std::size_t>(size));
    for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
      said_.push_back(rest.substr(0, end));
      rest.erase(0, end + 1);
    }
    changed_.notify_all();
  }
}

std::string Child::all_said() const {
  std::string all;
  for (const auto& line : said_) all += "\n  " + line;
  return all;
}

void Child::until(const std::function<bool(const std::vector<std::string>&)>& enough) {
  std::unique_lock lock(mutex_);
  const auto give_up = std::chrono::steady_clock::now() + deadline;
  const auto holds = [&] { return enough({said_.begin() + static_cast<std::ptrdiff_t>(mark_), said_.end()}); };
  while (!holds()) {
    if (ended_) throw std::runtime_error(fmt::format("{} ended; it said:{}", name_, all_said()));
    if (changed_.wait_until(lock, give_up) == std::cv_status::timeout && !holds())
      throw std::runtime_error(fmt::format("{} did not say it in {} s; it said:{}", name_, deadline.count(), all_said()));
  }
}

std::string Child::line(const std::function<bool(const std::string&)>& wanted) {
  std::string found;
  until([&](const std::vector<std::string>& said) {
    for (const auto& one : said)
      if (wanted(one)) {
        found = one;
        return true;
      }
    return false;
  });
  return found;
}

std::string Child::line_with(const std::string& part) {
  try {
    return line([&](const std::string& one) { return one.find(part) != std::string::npos; });
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("waiting for “{}”: {}", part, error.what()));
  }
}

std::vector<std::string> Child::lines() {
  const std::lock_guard lock(mutex_);
  return {said_.begin() + static_cast<std::ptrdiff_t>(mark_), said_.end()};
}

void Child::mark() {
  const std::lock_guard lock(mutex_);
  mark_ = said_.size();
}

}  // namespace schultor::broker_test
