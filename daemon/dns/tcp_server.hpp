// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/base/unique_fd.hpp"
#include "daemon/dns/gate.hpp"

#include <functional>
#include <memory>
#include <unordered_map>

namespace schultor::dns {

/// The tablets' questions over TCP (RFC 7766): several on a connection, answered in the order in which they are known, also when
/// the tablet sends no more. A connection keeps the view of its first packet; the ruleset resets it when its group's view changes.
/// There are only so many, of one source and of all: whoever comes then takes the place of the one that has been idle for longest.
class TcpServer {
public:
  using OnQuestion = std::function<void(const Client&, std::uint32_t mark, ByteView)>;

  TcpServer(base::EventLoop& loop, OnQuestion on_question);
  ~TcpServer();
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;

  /// From now on this listener. Connections that there are stay; those that wait at the one before are still accepted.
  [[nodiscard]] base::Result<void> use(base::UniqueFd listener);
  /// Dropped when the connection is gone.
  void answer(const TcpPeer& peer, const Bytes& packet, Time now);
  /// Ends connections that were idle for too long.
  void tick(Time now);
  /// Whether tick() is needed.
  [[nodiscard]] bool waiting() const { return !connections_.empty(); }

private:
  struct Connection;
  void accept_waiting();
  void accept_one(base::UniqueFd fd);
  void on_ready(std::uint64_t id, std::uint32_t events);
  void close(std::uint64_t id);
  using Connections = std::unordered_map<std::uint64_t, std::unique_ptr<Connection>>;
  /// Of this source, or of all.
  [[nodiscard]] Connections::iterator longest_idle(const in6_addr* source);

  base::EventLoop& loop_;
  OnQuestion on_question_;
  base::UniqueFd listener_;
  base::EventSource source_;
  std::size_t unsent_ = 0;  ///< octets, of all connections
  Connections connections_;
  std::uint64_t last_ = 0;
};

}  // namespace schultor::dns
