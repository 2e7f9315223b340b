// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "tests/bench/lib/measuring.hpp"
#include "tests/bench/lib/process.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// The gate, the floor and the peers, each with a port of its own on loopback, and on one core.
namespace schultor::bench {

inline constexpr unsigned load_core = 0, server_core = 1;
/// Answers each name with an address; what servers forward to.
inline constexpr std::uint16_t upstream_port = 5400;

struct Server {
  std::string name;
  std::uint16_t port = 0;
  std::vector<Process> processes;  ///< all that a query may cost
  std::string log;
};

/// Names to refuse: those of listed_name(), with all that is below them.
struct Refused {
  std::size_t names = 0;
  std::string file;   ///< one name a line
  std::string table;  ///< the same, compiled
};

[[nodiscard]] Server start_floor();
[[nodiscard]] Server start_gate(const Directory& directory, const std::string& program);
[[nodiscard]] Server start_gate(const Directory& directory, const std::string& program, const Refused& refused);
[[nodiscard]] Server start_unbound(const Directory& directory);
[[nodiscard]] Server start_dnsdist(const Directory& directory);
[[nodiscard]] Server start_dnsdist(const Directory& directory, const Refused& refused);
/// With `nftset` it puts each address into a set of nf_tables, which is made here.
[[nodiscard]] Server start_dnsmasq(const Directory& directory, bool nftset);
/// The gate's program: by `--gate`, else the one built beside this benchmark.
[[nodiscard]] std::string gate_program(const Arguments& arguments, const std::string& benchmark);

[[nodiscard]] bool is_gate(const Server& server);
[[nodiscard]] bool is_floor(const Server& server);

}  // namespace schultor::bench
