// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// What the ruleset costs a packet: small datagrams of many devices, and a connection of TCP, through a gateway with 10,000 devices
// and 100,000 pins. Beside it in the same rounds a gateway without a rule (the floor), one that follows connections and
// masquerades, and iptables with ipset at the same job (`tools/packages install bench`). Each gateway lies between a school and an
// internet of its own, in network namespaces of this process. Rounds alternate, medians; ratios are medians of the rounds' ratios.
// CPU time is the figure to trust: packets a second are those of one core that sends, forwards and drops them.
#include "tests/bench/forward/gateways.hpp"
#include "tests/bench/forward/packets.hpp"
#include "tests/bench/forward/stream.hpp"
#include "tests/bench/lib/measuring.hpp"
#include "tests/bench/lib/process.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

using namespace schultor;
using namespace schultor::bench;

namespace {

/// Of the throughput of TCP without a rule.
constexpr double least_of_floor = 0.95;
/// Short ones and many: what else the machine does meanwhile falls on all gateways alike.
constexpr std::size_t streams_a_round = 3;

/// What one gateway did in one round.
struct Measured {
  double rate = 0, cpu = 0;
  std::size_t lost = 0;
};

/// By gateway, a value for each round.
using Rows = std::vector<std::vector<Measured>>;

Rows measure(std::size_t gateways, std::size_t rounds, const std::function<Measured(std::size_t)>& once) {
  Rows rows(gateways);
  for (std::size_t round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < gateways; ++i) {
      const auto gateway = (round + i) % gateways;
      rows[gateway].push_back(once(gateway));
    }
  return rows;
}

double median_of(const std::vector<Measured>& row, double Measured::*what) {
  std::vector<double> values;
  for (const auto& one : row) values.push_back(one.*what);
  return median(std::move(values));
}

double ratio_to(const std::vector<Measured>& floor, const std::vector<Measured>& row, double Measured::*what) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < row.size(); ++i) ratios.push_back(row[i].*what / floor[i].*what);
  return median(std::move(ratios));
}

/// `rate_unit` and `cpu_unit` as headings.
void show(const std::string& title, const std::vector<Gateway>& gateways, const Rows& rows, const char* rate_unit,
          const char* cpu_unit) {
  fmt::print("\n{}\n{:>26} {:>12} {:>9} {:>14} {:>9} {:>9} {:>8}\n", title, "", rate_unit, "of floor", cpu_unit, "of floor", "more",
             "lost");
  const double floor_cpu = median_of(rows[0], &Measured::cpu);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::size_t lost = 0;
    for (const auto& one : rows[i]) lost += one.lost;
    const double cpu = median_of(rows[i], &Measured::cpu);
    fmt::print("{:>26} {:>12.2f} {:>9.2f} {:>14.3f} {:>8.2f}× {:>+9.3f} {:>8}\n", gateways[i].name,
               median_of(rows[i], &Measured::rate), ratio_to(rows[0], rows[i], &Measured::rate), cpu,
               ratio_to(rows[0], rows[i], &Measured::cpu), cpu - floor_cpu, lost);
  }
  std::fflush(stdout);
}

void judge(const char* how, double of_floor) {
  fmt::print("\nTCP throughput at least {:.2f} of that without rules, {}: {} ({:.3f})", least_of_floor, how,
             of_floor >= least_of_floor ? "holds" : "does not hold", of_floor);
}

}  // namespace

int main(int count, char** words) {
  const auto arguments = arguments_of(count, words, 21, {"--no-peers"});
  const bool quick = arguments.rounds == 1;
  const bool peers = !arguments.flags.contains("--no-peers") && installed("iptables-legacy") && installed("ipset");
  if (!peers) fmt::print("iptables and ipset are left out (tools/packages install bench)\n");
  const auto gateways = make_gateways(peers);
  std::vector<Traffic> traffic;
  for (const auto& gateway : gateways) traffic.emplace_back(gateway).check();
  fmt::print("{} devices and {} pins. Medians of {} alternating rounds.\n", devices, pins, arguments.rounds);

  const std::size_t packets = quick ? 20'000 : 300'000;
  for (const bool from_school : {true, false}) {
    const auto rows = measure(gateways.size(), arguments.rounds, [&](std::size_t i) {
      traffic[i].warm_up();
      const auto measured = traffic[i].measure(from_school, packets);
      return Measured{measured.per_second / 1000, measured.cpu_us, measured.lost};
    });
    show(fmt::format("Datagrams of 60 octets {} the tablets", from_school ? "from" : "to"), gateways, rows, "kpackets/s",
         "CPU, µs each");
  }
  const std::size_t octets = quick ? 10'000'000 : 200'000'000;
  const auto stream = [&](Cores cores) {
    return measure(gateways.size(), streams_a_round * arguments.rounds, [&](std::size_t i) {
      const auto measured = measure_stream(gateways[i], octets, cores);
      return Measured{measured.gbit_per_second, measured.cpu_ms_per_gb, 0};
    });
  };
  const auto one = stream(Cores::one), two = stream(Cores::two);
  show("TCP, both ends on one core", gateways, one, "Gbit/s", "CPU, ms/GB");
  show("TCP, each end on a core of its own", gateways, two, "Gbit/s", "CPU, ms/GB");
  if (!quick) {
    judge("on two cores, by the clock", ratio_to(two[0], two[product], &Measured::rate));
    judge("on one core, by CPU time", 1 / ratio_to(one[0], one[product], &Measured::cpu));
  }
  fmt::print("\n");
  return 0;
}
