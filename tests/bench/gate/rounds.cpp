// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/gate/rounds.hpp"

#include "tests/bench/gate/load.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace schultor::bench {

NameOf fresh(const std::string& below) {
  static std::size_t begun = 0;
  return [below, first = begun += 10'000'000](std::size_t n) { return fmt::format("n{:0{}}.{}", first + n, 8 + n % 29, below); };
}

void measure_once(const Case& what, const Server& server, Row& row) {
  const auto cpu = [&] {
    double sum = 0;
    for (const auto& process : server.processes) sum += process.cpu_us();
    return sum;
  };
  // dnsmasq takes ten times as long, or a hundred.
  const auto questions = server.name.rfind("dnsmasq", 0) == 0 ? what.questions / 10 : what.questions;
  const double before = cpu();
  const auto measured = run({server.port, what.view, 256, what.rate, questions, what.names()});
  row.cpu_us.push_back((cpu() - before) / static_cast<double>(std::max<std::size_t>(measured.answered, 1)));
  row.kqps.push_back(static_cast<double>(measured.answered) / measured.seconds / 1000);
  row.p50.push_back(measured.p50_us);
  row.p99.push_back(measured.p99_us);
  row.lost += measured.sent - measured.answered;
  if (!is_floor(server)) row.wrong += measured.answered - (what.refused ? measured.refused : measured.with_answers);
}

}  // namespace schultor::bench
