// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/event_loop.hpp"
#include "daemon/base/unique_fd.hpp"
#include "daemon/dns/pin_protocol.hpp"
#include "daemon/enforce/dns_sockets.hpp"
#include "daemon/enforce/gate_statistics.hpp"

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace schultor::enforce {

/// The gate's rules as it is to have them now.
struct GateState {
  std::string rules_json;
  dns::Announcement announcement;                 ///< its `with_table` is passed over: there is a table or not
  std::shared_ptr<const base::UniqueFd> table{};  ///< the lists' that the rules are of; null where they name none
};

/// schultord's end of the socket to the DNS gate: hands over sockets and rules, has pins made, tells the outcome. All
/// requests that are there in one turn of the loop share one transaction.
class GateLink {
public:
  struct Handlers {
    /// Makes the pins in the kernel, acknowledged when it returns.
    std::function<base::Result<void>(const std::vector<dns::PinEntry>&)> pin;
    /// The gate came, went, or told of its resolver.
    std::function<void()> changed;
  };

  /// Listens on `path` (SOCK_SEQPACKET, mode 0660, of `group`, or of the process's own without one): whoever may open
  /// it is the gate.
  static base::Result<std::unique_ptr<GateLink>> listen(base::EventLoop& loop, const std::string& path, std::optional<gid_t> group,
                                                        DnsSockets sockets, Handlers handlers);
  ~GateLink();

  /// From now on these rules; a connected gate is told at once.
  void announce(GateState state);
  /// Kept, told to a connected gate at once and to every one that connects. Waits for nobody.
  void tell_switches(dns::Switches switches);
  /// As tell_switches(): origins of the rules that were announced last, which the cache answers for.
  void tell_well_origins(std::uint64_t mask);
  /// Told to a connected gate at once; with another connection it is over.
  void log_questions(const dns::QuestionLogging& wanted);
  /// Asks the gate what it has counted and calls `done` once, perhaps before this returns: with what it tells now, else, where it
  /// is away, busy for longer than a second or asked by too many already, with what it told last.
  void ask_statistics(std::function<void(const std::optional<ToldStatistics>&)> done);
  [[nodiscard]] bool connected() const;
  /// None until a connected gate has said so.
  [[nodiscard]] std::optional<bool> resolver_answers() const;

private:
  struct Impl;
  explicit GateLink(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schultor::enforce
