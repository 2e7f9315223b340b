// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "netfilter/kernel/dump.hpp"
#include "netfilter/model/found.hpp"
#include "netfilter/planner/plan.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

struct mnl_socket;

namespace schultor::netfilter::kernel {

using base::Result;

struct Acknowledgement;

/// How a pin that is there gets a new timeout.
enum class RefreshMode : std::uint8_t {
  update,   ///< one add that carries the expiration (kernel 6.12 and newer)
  replace,  ///< add, delete, add in one transaction: the first add keeps the delete from failing
};

struct Committed {
  std::size_t messages = 0;  ///< without the two that begin and end the transaction
  std::size_t elements = 0;
};

/// A netlink socket to nf_tables of the network namespace it was opened in. Wants CAP_NET_ADMIN, nothing more. One thread
/// at a time.
class Connection {
public:
  static Result<Connection> open();

  /// Its netlink port, by which the kernel tells whose transaction a change was.
  [[nodiscard]] std::uint32_t port() const;

  /// What the kernel holds of table inet `table`, all of one generation of the ruleset. `exists` is false when there is none.
  [[nodiscard]] Result<model::Found> read(std::string_view table);
  /// Hands over the elements of one set as they come: see read_elements() in dump.hpp. Waits for no writer, and no writer for it.
  [[nodiscard]] Result<Listing> read_elements(std::string_view table, const model::SetDeclaration& set,
                                              const std::function<void(const model::Element&)>& visit);

  /// All named counters of the table, in one dump.
  [[nodiscard]] Result<std::vector<CounterValue>> read_counters(std::string_view table);

  /// One transaction, every acknowledgement awaited. An error names what failed and what to do, and means that the kernel
  /// is as it was; after an error that asks for a resync this is not known: read and reconcile then. An empty plan sends nothing.
  [[nodiscard]] Result<Committed> commit(const planner::Plan& plan);

  /// How many transactions of anybody the ruleset has seen, modulo 2^32 and without 0: each that commit() brings about counts one.
  [[nodiscard]] Result<std::uint32_t> generation();

  /// Finds out, by a table of its own that it removes again, how this kernel refreshes a timeout; commit() goes by it from
  /// then on. Before, it goes by `replace`, which every kernel takes.
  [[nodiscard]] Result<RefreshMode> probe_refresh();
  /// Finds out, by a transaction that leaves nothing behind, whether this kernel has flowtables and can forward connections by
  /// them. read() asks for those of a table from then on; before, for none. An error: it has them, or not, but something else is
  /// amiss.
  [[nodiscard]] Result<bool> probe_flowtables();
  void use_refresh(RefreshMode mode) { refresh_ = mode; }

private:
  struct Close {
    void operator()(mnl_socket* socket) const;
  };
  explicit Connection(std::unique_ptr<mnl_socket, Close> socket);
  [[nodiscard]] Result<void> send(std::span<const std::uint8_t> octets);
  [[nodiscard]] Result<std::vector<Acknowledgement>> receive(int wait_ms);
  [[nodiscard]] Result<Committed> commit(const planner::Plan& plan, RefreshMode refresh);

  std::unique_ptr<mnl_socket, Close> socket_;
  std::size_t send_buffer_ = 0;  ///< octets, as far as is known
  std::vector<std::uint8_t> answers_;
  std::uint32_t sequence_ = 1;
  RefreshMode refresh_ = RefreshMode::replace;
  int refusal_ = 0;  ///< of the last transaction: an errno value, or 0
  bool has_flowtables_ = false;
};

}  // namespace schultor::netfilter::kernel
