// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/background.hpp"

#include <pthread.h>

#include <csignal>
#include <system_error>
#include <utility>

namespace schultor::enforce {

void Background::wait() {
  if (worker_.joinable()) worker_.join();
}

void Background::begin(std::function<void()> work) {
  wait();
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  is_done_ = false;
  try {
    worker_ = std::thread([this, work] {
      work();
      is_done_ = true;
    });
  } catch (const std::system_error&) {
    work();
    is_done_ = true;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace schultor::enforce
