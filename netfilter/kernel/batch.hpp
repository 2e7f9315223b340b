// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "netfilter/kernel/connection.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

struct nlmsghdr;

namespace schultor::netfilter::kernel {

/// What one message of a transaction is about, for whoever has to explain the kernel's answer to it.
struct MessageNote {
  std::size_t operation = 0;             ///< index in the plan
  std::size_t first_element = 0;         ///< of the operation's elements
  std::vector<std::uint32_t> offsets{};  ///< where each element begins in the message
};

/// A transaction as it goes to the kernel: begin, a message or more for each operation, end. Every message between asks for
/// its acknowledgement and has the sequence number after the one before.
class Batch {
public:
  static base::Result<Batch> encode(const planner::Plan& plan, RefreshMode refresh, std::uint32_t first_sequence);

  [[nodiscard]] std::span<const std::uint8_t> octets() const { return {buffer_.data(), used_}; }
  [[nodiscard]] std::uint32_t first_sequence() const { return first_sequence_; }
  [[nodiscard]] const std::vector<MessageNote>& notes() const { return notes_; }
  [[nodiscard]] std::size_t elements() const { return elements_; }

private:
  friend struct OperationEncoder;
  explicit Batch(std::uint32_t first_sequence) : first_sequence_(first_sequence) {}
  char* room();
  nlmsghdr* start(std::uint16_t type, std::uint16_t flags, MessageNote note);
  void finish(const nlmsghdr* message);

  std::vector<std::uint8_t> buffer_;
  std::size_t used_ = 0;
  std::uint32_t first_sequence_;
  std::size_t elements_ = 0;
  std::vector<MessageNote> notes_;
};

}  // namespace schultor::netfilter::kernel
