// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "tests/bench/gate/servers.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// One kind of question, put to one server, and what came of it over many rounds.
namespace schultor::bench {

/// The n-th question's name.
using NameOf = std::function<std::string(std::size_t)>;

struct Case {
  std::string title;
  std::uint32_t view = 0;
  std::function<NameOf()> names;  ///< for each measurement its own
  std::size_t questions = 0;
  double rate = 0;       ///< a second; 0: as fast as the answers come
  bool refused = false;  ///< whether NXDOMAIN is the right answer
};

/// A value for each round; the questions without an answer, and with a wrong one, of all rounds.
struct Row {
  std::vector<double> cpu_us, kqps, p50, p99;
  std::size_t lost = 0, wrong = 0;
};

/// Names that were never asked before, whatever round it is, and of many lengths.
[[nodiscard]] NameOf fresh(const std::string& below);

/// Another round.
void measure_once(const Case& what, const Server& server, Row& row);

}  // namespace schultor::bench
