// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "netfilter/kernel/batch.hpp"
#include "netfilter/planner/plan.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// What the kernel says to a transaction, read and explained without a socket.
namespace schultor::netfilter::kernel {

/// One NLMSG_ERROR message; with error 0 it is the acknowledgement of success.
struct Acknowledgement {
  std::uint32_t sequence = 0;
  int error = 0;                          ///< errno value, positive
  std::string message{};                  ///< the kernel's own words, mostly none
  std::optional<std::uint32_t> offset{};  ///< of the attribute at fault, from the beginning of the message answered
};

/// All acknowledgements in what one recv gave; other messages are passed over. A datagram that is cut off is an error.
base::Result<std::vector<Acknowledgement>> read_acknowledgements(std::span<const std::uint8_t> datagram);

/// Follows a transaction until every message of it is answered.
class Ledger {
public:
  Ledger(const planner::Plan& plan, const Batch& batch);

  void note(const Acknowledgement& acknowledgement);
  /// Every message is answered, or the kernel has refused the transaction as a whole.
  [[nodiscard]] bool is_complete() const { return open_ == 0 || refused_; }
  /// Every message is answered, and none of them refused: no further answer comes.
  [[nodiscard]] bool has_succeeded() const { return open_ == 0 && !failure_; }
  /// Nothing when all succeeded; else the first failure, with the command and element it concerns and the way out.
  [[nodiscard]] base::Result<void> outcome() const;

  /// Of the first failure, an errno value; 0: none.
  [[nodiscard]] int error() const { return failure_ ? failure_->error : 0; }

private:
  [[nodiscard]] std::string subject(const Acknowledgement& failure) const;

  const planner::Plan& plan_;
  const Batch& batch_;
  std::vector<bool> answered_;
  std::size_t open_;
  bool refused_ = false;
  std::optional<Acknowledgement> failure_;
  std::size_t failures_ = 0;
};

/// What to do about `error` (errno value), as the end of a sentence.
std::string remedy(int error);

}  // namespace schultor::netfilter::kernel
