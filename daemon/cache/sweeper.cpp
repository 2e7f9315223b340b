// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/sweeper.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

namespace schultor::cache {
namespace {

/// A thread inherits which signals are blocked: all stay with the loop's.
class SignalsBlocked {
public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
  sigset_t before_{};
};

}  // namespace

base::Result<std::unique_ptr<Sweeper>> Sweeper::create(base::EventLoop& loop) {
  std::unique_ptr<Sweeper> made(new Sweeper());
  made->finished_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!made->finished_) return base::fail_errno(errno, "an eventfd");
  auto watching = loop.watch(made->finished_.get(), EPOLLIN, [raw = made.get()](std::uint32_t) { raw->finish(); });
  if (!watching) return base::pass(std::move(watching), "an eventfd");
  made->watching_ = std::move(*watching);
  return made;
}

Sweeper::~Sweeper() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void Sweeper::begin(Sweep sweep, Done done) {
  waiting_.push_back({std::move(sweep), std::move(done)});
  if (waiting_.size() == 1) start();
}

void Sweeper::start() {
  const SignalsBlocked blocked;
  thread_ = std::thread([this, &sweep = waiting_.front().sweep] {
    outcome_.emplace(sweep(stop_));
    const std::uint64_t one = 1;
    static_cast<void>(write(finished_.get(), &one, sizeof one));
  });
}

void Sweeper::finish() {
  std::uint64_t count = 0;
  if (read(finished_.get(), &count, sizeof count) != sizeof count) return;
  thread_.join();
  const auto wish = std::move(waiting_.front());
  waiting_.pop_front();
  const auto outcome = std::exchange(outcome_, std::nullopt);
  if (!waiting_.empty()) start();
  wish.done(*outcome);
}

}  // namespace schultor::cache
