// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/base/unique_fd.hpp"
#include "netfilter/kernel/connection.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

struct nlmsghdr;

namespace schultor::netfilter::kernel {

/// A transaction of somebody else's.
struct ForeignChange {
  std::uint32_t pid = 0;  ///< in the initial namespace of process ids; 0 where it is not known
  std::string process{};  ///< its name (comm), at most 15 octets of anything; empty where it is not known
  /// The sets from which elements went, by no more than most_sets names; none: perhaps from any.
  std::optional<std::set<std::string>> taken_from{};
  static constexpr std::size_t most_sets = 256;
  bool operator==(const ForeignChange&) const = default;
};

/// What others do to one table of family inet in this network namespace, as the kernel tells it (NFNLGRP_NFTABLES of
/// linux/netfilter/nfnetlink.h). Wants CAP_NET_ADMIN.
class Watch {
public:
  /// `own`: the netlink port of the connection whose transactions are not told, see Connection::port(). The kernel drops those.
  static Result<Watch> open(std::string table, std::uint32_t own);

  /// Is readable when there is something to read().
  [[nodiscard]] int fd() const { return socket_.get(); }
  /// Commits by `kernel`. As long as anybody listens the kernel tells of each element, which costs more than the element: a plan of
  /// least_quiet elements or more is not listened to, and Connection::generation() tells whether there was something else to hear.
  /// Then missed() holds until read() tells of it.
  [[nodiscard]] Result<Committed> commit(Connection& kernel, const planner::Plan& plan, std::size_t elements);
  static constexpr std::size_t least_quiet = 8;
  [[nodiscard]] bool missed() const { return missed_; }

  /// Stops and begins to listen.
  [[nodiscard]] Result<void> mute();
  [[nodiscard]] Result<void> unmute();

  /// The transactions since the last call that changed something of the table, in their order. Where the kernel had to leave some
  /// out, one of nobody that is known. Does not wait.
  [[nodiscard]] Result<std::vector<ForeignChange>> read();

private:
  void note(const nlmsghdr& message);
  Watch(base::UniqueFd socket, std::string table) : socket_(std::move(socket)), table_(std::move(table)) {}

  base::UniqueFd socket_;
  std::string table_;
  bool touched_ = false;                                                       ///< by the transaction whose end has not come yet
  std::optional<std::set<std::string>> taken_from_ = std::set<std::string>{};  ///< by that one
  bool cut_ = false;                                                           ///< that end may have come while nobody listened
  bool missed_ = false;
};

}  // namespace schultor::netfilter::kernel
