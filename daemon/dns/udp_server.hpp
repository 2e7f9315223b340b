// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/base/unique_fd.hpp"
#include "daemon/dns/gate.hpp"

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace schultor::dns {

/// The tablets' questions over UDP, and the answers to them: many packets a system call, answers at the end of a turn.
class UdpServer {
public:
  using OnQuestion = std::function<void(const Client&, std::uint32_t mark, ByteView)>;

  UdpServer(base::EventLoop& loop, OnQuestion on_question);
  ~UdpServer();
  UdpServer(const UdpServer&) = delete;
  UdpServer& operator=(const UdpServer&) = delete;

  /// From now on this socket: dual stack, with SO_RCVMARK and IPV6_RECVPKTINFO. What already waits at the one before is still read.
  [[nodiscard]] base::Result<void> use(base::UniqueFd socket);
  /// Sent by flush(); dropped without a socket.
  void answer(const UdpPeer& peer, Bytes packet);
  void flush();

private:
  struct Batch;
  bool receive();

  base::EventLoop& loop_;
  OnQuestion on_question_;
  std::unique_ptr<Batch> batch_;
  base::UniqueFd socket_;
  base::EventSource source_;
  std::vector<std::pair<UdpPeer, Bytes>> answers_;
};

}  // namespace schultor::dns
