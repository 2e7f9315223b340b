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

/// Questions to the resolver over TCP, for what it cut short over UDP or did not answer: a connection each, few at a time, each
/// with one deadline however slowly the answer drips in.
class UpstreamStream {
public:
  struct Handlers {
    std::function<void(JobId, ByteView)> answered;
    std::function<void(JobId)> silent;
  };

  UpstreamStream(base::EventLoop& loop, const base::Endpoint& resolver, Handlers handlers);
  ~UpstreamStream();
  UpstreamStream(const UpstreamStream&) = delete;
  UpstreamStream& operator=(const UpstreamStream&) = delete;

  /// `question` as it was sent over UDP; given up at `end`. False when too many are under way, or no connection can be made.
  [[nodiscard]] bool ask(JobId job, const Bytes& question, Time end);
  /// Was answered another way.
  void drop(JobId job);
  [[nodiscard]] bool contains(JobId job) const;
  /// Gives up on what takes too long.
  void tick(Time now);
  [[nodiscard]] std::size_t size() const;

private:
  struct Connection;
  enum class Progress : std::uint8_t { waits, done, broken };
  void on_ready(JobId job);
  static Progress exchange(Connection& connection);

  base::EventLoop& loop_;
  base::Endpoint resolver_;
  Handlers handlers_;
  std::unordered_map<JobId, std::unique_ptr<Connection>> connections_;
};

}  // namespace schultor::dns
