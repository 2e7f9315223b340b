// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/gate/flood.hpp"

#include "daemon/base/unique_fd.hpp"
#include "tests/bench/gate/gateway.hpp"
#include "tests/bench/gate/load.hpp"
#include "tests/bench/lib/measuring.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>
#include <vector>

namespace schultor::bench {
namespace {

constexpr std::uint32_t others = 1000;
constexpr double rate_of_others = 2000, rate_of_flood = 10'000;

/// A port where questions come to nothing.
struct Nowhere {
  base::UniqueFd fd{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  std::uint16_t port = 0;

  Nowhere() {
    sockaddr_in local{};
    local.sin_family = AF_INET;
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof local;
    if (!fd || bind(fd.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0 ||
        getsockname(fd.get(), reinterpret_cast<sockaddr*>(&local), &size) != 0)
      give_up("a port for a flood that goes nowhere");
    port = ntohs(local.sin_port);
  }
};

struct Row {
  std::vector<double> p50, p99, flood_sent, flood_answered;
  std::size_t lost = 0;

  void add(const Measured& of_others, const Measured& of_flood) {
    p50.push_back(of_others.p50_us);
    p99.push_back(of_others.p99_us);
    lost += of_others.sent - of_others.answered;
    flood_sent.push_back(static_cast<double>(of_flood.sent));
    flood_answered.push_back(static_cast<double>(of_flood.answered));
  }
};

/// Never asked before.
std::function<std::string(std::size_t)> fresh(const char* kind) {
  static std::size_t begun = 0;
  return [kind, first = begun += 10'000'000](std::size_t n) { return fmt::format("{}{}.frei.test", kind, first + n); };
}

void measure_once(std::uint16_t port, std::uint16_t flooded_port, std::size_t questions, Row& row) {
  std::atomic<bool> stop = false;
  Measured of_flood;
  Load flood{flooded_port, leisure_view, 0, rate_of_flood, 10'000'000, fresh("flut")};
  flood.sources = 1;
  flood.first_source = others;
  flood.stop = &stop;
  std::thread flooder([&] { of_flood = run(flood); });
  Load load{port, leisure_view, 0, rate_of_others, questions, fresh("k")};
  load.sources = others;
  const auto measured = run(load);
  stop = true;
  flooder.join();
  if (measured.with_answers != measured.answered) give_up("the gate gave answers that are none");
  row.add(measured, of_flood);
}

}  // namespace

void measure_flood(std::uint16_t port, std::size_t rounds, bool quick) {
  const Nowhere nowhere;
  Row without, with;
  const std::size_t questions = quick ? 400 : 10'000;
  for (std::size_t round = 0; round < rounds; ++round) {
    measure_once(port, nowhere.port, questions, without);
    measure_once(port, port, questions, with);
  }
  fmt::print("\nflood: {:.0f} a second of one tablet beside {:.0f} of {} others, forwarded, each name once\n", rate_of_flood,
             rate_of_others, others);
  fmt::print("{:>20} {:>9} {:>9} {:>7} {:>11} {:>11}\n", "", "p50, µs", "p99, µs", "lost", "flood sent", "answered");
  for (const auto& [name, row] : {std::pair("goes nowhere", &without), {"asks the gate", &with}})
    fmt::print("{:>20} {:>9.0f} {:>9.0f} {:>7} {:>11.0f} {:>11.0f}\n", name, median(row->p50), median(row->p99), row->lost,
               median(row->flood_sent), median(row->flood_answered));
  fmt::print("{:>20} {:>8.2f}× {:>8.2f}×\n", "ratio", median(with.p50) / median(without.p50),
             median(with.p99) / median(without.p99));
}

}  // namespace schultor::bench
