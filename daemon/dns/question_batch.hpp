// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/limits.hpp"
#include "daemon/dns/message.hpp"

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace schultor::dns {

/// Questions that leave together on one connected UDP socket. Those of one length leave as one packet that the kernel cuts again
/// behind its routes and filters (UDP_SEGMENT, udp(7)), which is where most of a packet's cost lies; a kernel or a way that does
/// not take it has them one by one.
class QuestionBatch {
public:
  /// `fill`: to make them of one length, with an EDNS option that means nothing (fill_question()). For a resolver on this machine.
  explicit QuestionBatch(bool fill) : fill_(fill) {}

  /// One as write_question() wrote it. Not when is_full().
  void add(ByteView question);
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] bool is_full() const { return count_ == limits::upstream_batch; }
  /// Sends all of them and is empty then. What the kernel does not take is lost: it is for the sender to ask again.
  void send(int socket);

private:
  /// A header, a name, its type and class, and an OPT record: 282 octets, filled.
  static constexpr std::size_t longest = 3 * limits::question_block;

  [[nodiscard]] std::size_t run_from(std::size_t first) const;
  [[nodiscard]] bool send_as_one(int socket, std::size_t first, std::size_t count);

  bool fill_;
  bool segments_ = true;  ///< whether the kernel takes UDP_SEGMENT here
  std::size_t count_ = 0;
  std::array<std::array<std::uint8_t, longest>, limits::upstream_batch> packets_{};
  std::array<iovec, limits::upstream_batch> parts_{};
};

}  // namespace schultor::dns
