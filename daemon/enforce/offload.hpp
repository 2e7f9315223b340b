// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/policy/policy.hpp"
#include "netfilter/model/found.hpp"
#include "netfilter/model/ruleset.hpp"

#include <string>
#include <vector>

/// Connections to the cloud are never judged again: where the kernel has flowtables it forwards them past the rules.
namespace schultor::enforce {

struct Offload {
  std::vector<std::string> interfaces{};  ///< by which packets come in that are forwarded so; none: nothing is
  std::string text{};                     ///< for people: "cloud connections", "switched off", "no: …" and why
};

/// What is possible now: with the interfaces of both sides that exist. `fault`: why the kernel cannot; empty: it can.
[[nodiscard]] Offload offload_now(const policy::Network& network, const std::vector<std::string>& lan_interfaces,
                                  const std::string& fault);

/// Nothing is, for such a reason.
[[nodiscard]] Offload no_offload(const std::string& reason);

/// Takes out of `wanted` the devices that went with their interfaces: kernels before 6.16 let go of them by themselves, and nobody
/// took them away.
void leave_out_gone_devices(netfilter::model::Ruleset& wanted, const netfilter::model::Found& found);

}  // namespace schultor::enforce
