// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/enforce/mode_switch.hpp"
#include "daemon/enforce/offload.hpp"
#include "netfilter/kernel/connection.hpp"
#include "netfilter/kernel/watch.hpp"
#include "netfilter/planner/intent.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace schultor::enforce {

/// The only writer of the ruleset: brings plans to the kernel and remembers what is in force there.
class Enforcer {
public:
  /// Needs CAP_NET_ADMIN in the network namespace.
  static base::Result<Enforcer> open();

  struct Applied {
    Standing before;                               ///< what the kernel held of ours
    bool pins_lost = false;                        ///< addresses that were open are not any more: the gate is to pin them anew
    std::size_t pins_restored = 0;                 ///< of `cloud_pins`
    std::optional<base::Error> pins_refused{};     ///< the kernel did not take `cloud_pins`; all else is in force
    std::optional<base::Error> offload_refused{};  ///< the kernel did not take the flowtable; all else is in force
    std::optional<base::Error> belt_refused{};     ///< the kernel did not take planner::belt(); all else is in force
  };
  /// The cloud's pins that a kernel begins with which has none: asked for where its sets of them are made anew.
  using CloudPins = std::function<std::vector<netfilter::planner::Pin>()>;
  /// Reads the kernel's state back and brings it to `wanted` in one transaction, which is none when nothing differs.
  /// Connections to the cloud are offloaded by the interfaces that exist at this moment.
  /// On an error the kernel is as it was. `rules_changed`, or the kernel's rules were others: all connections are judged anew.
  [[nodiscard]] base::Result<Applied> apply(const policy::Policy& policy, const std::vector<std::string>& lan_interfaces,
                                            const Moment& wanted, const Numbers& numbers, const ListedNetworks& listed,
                                            bool rules_changed, const CloudPins& cloud_pins);
  /// Whether the kernel holds a ruleset of ours by which some group is judged.
  [[nodiscard]] base::Result<bool> is_in_force();
  /// Commits a ruleset of no group and no interface: whatever was to be forwarded is dropped.
  [[nodiscard]] base::Result<void> forward_nothing();
  /// Commits a mode switch in one transaction of a size that does not depend on the number of tablets.
  [[nodiscard]] base::Result<void> switch_modes(const ModeSwitch& planned);
  /// Opens addresses; open for good when this returns.
  [[nodiscard]] base::Result<void> pin(const std::vector<netfilter::planner::Pin>& pins);

  /// For so long, devices that the roster does not name begin no connection.
  [[nodiscard]] base::Result<void> crowd(std::chrono::milliseconds lifetime);

  /// Is readable when others may have changed the table. Those that pin() noticed make others_changed() true instead.
  [[nodiscard]] int watch_fd() const { return watch_.fd(); }
  [[nodiscard]] bool others_changed() const { return watch_.missed(); }
  /// What others have done to the table since the last call; of what was noticed in passing nobody knows who did it.
  [[nodiscard]] base::Result<std::vector<netfilter::kernel::ForeignChange>> changes_by_others() { return watch_.read(); }
  /// Whether addresses that were open may be closed by it.
  [[nodiscard]] bool takes_pins(const netfilter::kernel::ForeignChange& change) const;
  /// The table's named counters, in one dump.
  [[nodiscard]] base::Result<std::vector<netfilter::kernel::CounterValue>> counters();
  /// What the kernel holds otherwise than this brought about, in lines for people: see planner::differences().
  [[nodiscard]] base::Result<std::vector<std::string>> differences();

  [[nodiscard]] const Standing& in_force() const { return in_force_; }
  /// What is in force of it.
  [[nodiscard]] const Offload& offload() const { return offload_; }
  /// What is in force, in nft syntax; pins are left out.
  [[nodiscard]] std::string text() const;

private:
  Enforcer(netfilter::kernel::Connection kernel, netfilter::kernel::Watch watch, std::string offload_fault)
      : kernel_(std::move(kernel)), watch_(std::move(watch)), offload_fault_(std::move(offload_fault)) {}
  /// Brings the kernel from `found` to `intent`, and remembers it.
  [[nodiscard]] base::Result<void> commit(netfilter::planner::Intent intent, const netfilter::model::Found& found,
                                          const CloudPins& cloud_pins, Applied& applied);

  /// Puts the belt on, where the interfaces are not those that it has.
  void wear_belt(Applied& applied);

  netfilter::kernel::Connection kernel_;
  netfilter::kernel::Watch watch_;
  netfilter::planner::Intent intent_;
  Standing in_force_;
  std::optional<std::pair<std::vector<std::string>, std::vector<std::string>>> belt_;  ///< what it was made of
  std::string offload_fault_;                                                          ///< why this kernel cannot; empty: it can
  Offload offload_;
};

}  // namespace schultor::enforce
