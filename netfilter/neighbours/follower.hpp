// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "netfilter/neighbours/table.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

struct nl_sock;

namespace schultor::netfilter::neighbours {

using base::Result;

/// Keeps a Table at what the kernel has, in the network namespace that it was opened in: all of it at first, from then on by
/// notification (RTNLGRP_LINK, RTNLGRP_NEIGH). Where the kernel had to leave some out (ENOBUFS), all of it once more.
/// Only listens: no device is asked for anything. Wants no right; with CAP_NET_ADMIN it may fall further behind before it has to
/// read all again.
class Follower {
public:
  /// At most so many notifications are read at once, so that nobody who floods the LAN holds up the loop.
  static constexpr std::size_t most_notifications = 2048;
  /// All is read again no more often than this.
  static constexpr std::chrono::seconds between_resyncs{1};
  static constexpr int usual_buffer = 4 * 1024 * 1024;

  /// `receive_buffer`: octets that may wait to be read.
  static Result<Follower> open(int receive_buffer = usual_buffer);

  /// Is readable when there is something to read().
  [[nodiscard]] int fd() const;
  /// Follows these interfaces from now on, whether they exist or not: all is read anew.
  [[nodiscard]] Result<void> follow(std::set<std::string> interfaces, Instant now);
  /// What has come since the last call. Does not wait. After an error the table may lack something, and resync_due() says when to
  /// call again.
  [[nodiscard]] Result<std::vector<Confirmation>> read(Instant now);
  /// When read() is to be called also without fd() being readable; none: there is no need.
  [[nodiscard]] std::optional<Instant> resync_due() const;

  [[nodiscard]] const Table& table() const { return table_; }
  /// Gives up what is over, see Table::forget().
  void forget(Instant now) { table_.forget(now); }
  /// How often all was read.
  [[nodiscard]] std::size_t resyncs() const { return resyncs_; }

private:
  struct Free {
    void operator()(nl_sock* socket) const;
  };
  using Socket = std::unique_ptr<nl_sock, Free>;
  explicit Follower(Socket socket) : socket_(std::move(socket)) {}
  static Result<Socket> connect();
  [[nodiscard]] Result<bool> drain(Instant now, std::vector<Confirmation>& confirmations);
  [[nodiscard]] Result<void> resync(Instant now);

  Socket socket_;
  Table table_;
  bool behind_ = false;    // something was missed, or passed over until now
  Instant last_resync_{};  // or attempt
  std::size_t resyncs_ = 0;
};

}  // namespace schultor::netfilter::neighbours
