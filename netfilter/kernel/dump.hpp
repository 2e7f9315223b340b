// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "netfilter/model/found.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

struct mnl_socket;

namespace schultor::netfilter::kernel {

/// Reads table inet `table` by dumps; once more, a bounded number of times, when the ruleset changed in between.
/// `sequence` is the next free sequence number of the socket and moves on. A kernel is asked for flowtables only where it has them.
base::Result<model::Found> read_table(mnl_socket& socket, std::uint32_t& sequence, const std::string& table, bool has_flowtables);

/// A named counter as it stands.
struct CounterValue {
  std::string name;
  std::uint64_t handle = 0;  ///< another one where the counter was made anew
  std::uint64_t packets = 0;
};

/// All named counters of the table, in one dump; none where there is no table.
base::Result<std::vector<CounterValue>> read_counters(mnl_socket& socket, std::uint32_t& sequence, const std::string& table);

/// How far a set could be read while others may have written to it.
enum class Listing : std::uint8_t {
  whole,
  interrupted,  ///< the ruleset changed meanwhile: elements may be missing, or have come twice
  absent,       ///< there is no such set
};

/// Hands over the elements of one set as they come, a message of them in memory at a time. Not for sets of ranges.
base::Result<Listing> read_elements(mnl_socket& socket, std::uint32_t& sequence, const std::string& table,
                                    const model::SetDeclaration& set, const std::function<void(const model::Element&)>& visit);

}  // namespace schultor::netfilter::kernel
