// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

/// Questions over UDP on loopback, many a system call, from this thread.
namespace schultor::bench {

struct Load {
  std::uint16_t port = 0;
  std::uint32_t mark = 0;           ///< SO_MARK of the questions: the gate's view
  std::size_t window = 256;         ///< questions under way, when `rate` is 0
  double rate = 0;                  ///< questions a second, whatever comes back
  std::size_t questions = 100'000;  ///< in all
  /// The n-th question's name, "a.b.test".
  std::function<std::string(std::size_t)> name;
  /// Tablets, each with an address of its own from 127.1.0.1 on, that ask in turn: a server may bound what one source asks.
  std::uint32_t sources = 1000;
  std::uint32_t first_source = 0;            ///< leaves out so many addresses
  std::chrono::milliseconds patience{2000};  ///< what is not answered so long after the last answer is lost
  const std::atomic<bool>* stop = nullptr;   ///< ends it before all is sent
};

struct Measured {
  std::size_t sent = 0;
  std::size_t answered = 0;
  std::size_t with_answers = 0;  ///< of the answered: those that hold records
  std::size_t refused = 0;       ///< NXDOMAIN
  std::size_t failed = 0;        ///< any other response code but NOERROR
  double seconds = 0;            ///< until the last answer
  double p50_us = 0, p99_us = 0;
};

/// Sends the load and waits for the answers; what is not answered within two seconds is lost.
Measured run(const Load& load);

/// Asks the DNS server on a loopback port every few milliseconds until a question for `name` has an answer: records, or NXDOMAIN
/// where it is to be `refused`. Gives up after ten minutes, with the server's `log`: peers take long to load millions of names.
void await_dns(std::uint16_t port, std::uint32_t mark, const std::string& name, const std::string& log, bool refused = false);

}  // namespace schultor::bench
