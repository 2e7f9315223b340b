// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/base/unique_fd.hpp"
#include "daemon/dns/gate.hpp"

#include <functional>
#include <memory>
#include <span>

namespace schultor::dns {

/// The tablets' questions over UDP, and the answers to them: many packets a system call.
class UdpServer {
public:
  struct Handlers {
    /// Writes the answer where it is at hand, and gives its length; 0 where it is not. `now`: when the question was read.
    std::function<std::size_t(const UdpPeer&, std::uint32_t mark, ByteView question, std::span<std::uint8_t> out, Time now)>
        at_once;
    std::function<void(const Client&, std::uint32_t mark, ByteView question, Time now)> question;
  };

  UdpServer(base::EventLoop& loop, Handlers handlers);
  ~UdpServer();
  UdpServer(const UdpServer&) = delete;
  UdpServer& operator=(const UdpServer&) = delete;

  /// From now on this socket: dual stack, with SO_RCVMARK and IPV6_RECVPKTINFO. What already waits at the one before is still read.
  [[nodiscard]] base::Result<void> use(base::UniqueFd socket);
  /// At most limits::udp_answer octets; sent by flush() at the latest, dropped without a socket.
  void answer(const UdpPeer& peer, ByteView packet);
  void flush();

private:
  struct Questions;
  struct Answers;
  bool receive();

  base::EventLoop& loop_;
  Handlers handlers_;
  std::unique_ptr<Questions> questions_;
  std::unique_ptr<Answers> answers_;
  base::UniqueFd socket_;
  base::EventSource source_;
};

}  // namespace schultor::dns
