// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// What the ruleset costs a packet: small datagrams of many devices, and a connection of TCP, through a gateway with 10,000 devices
// and 100,000 pins. Beside it in the same rounds iptables with ipset at the same job (`tools/packages install bench`), a gateway
// with an empty ruleset, and a router. Each lies between a school and an internet of its own, in network namespaces of this
// process.
//
// An empty ruleset means: it judges nothing, but connections are followed and IPv4 is masqueraded. Any gateway of a school does
// that, with or without rules, and that costs more than all rules here; so the promise is held against it. A router that follows
// nothing shows what that costs. Datagrams are shown, not judged: of thousands of flows nothing is in the processor's caches, and
// to look up each packet's device costs what it costs.
//
// Rounds alternate, medians; ratios are medians of the rounds' ratios. CPU time is the figure to trust: packets a second are those
// of one core that sends, forwards and drops them.
#include "tests/bench/forward/gateways.hpp"
#include "tests/bench/forward/packets.hpp"
#include "tests/bench/forward/stream.hpp"
#include "tests/bench/lib/measuring.hpp"
#include "tests/bench/lib/process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

using namespace schultor;
using namespace schultor::bench;

namespace {

/// Of the throughput of TCP with an empty ruleset.
constexpr double least_of_empty = 0.95;
/// Short ones and many: what else the machine does meanwhile falls on all gateways alike.
constexpr std::size_t streams_a_round = 40;

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

struct Ratio {
  double median = 0;
  double error = 0;  ///< what the median of as many rounds differs by from run to run: one standard deviation
};

Ratio ratio(const std::vector<Measured>& row, const std::vector<Measured>& of, double Measured::*what) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < row.size(); ++i) ratios.push_back(row[i].*what / of[i].*what);
  std::sort(ratios.begin(), ratios.end());
  const std::size_t middle = ratios.size() / 2;
  // Ranks of a median are spread binomially.
  const auto spread = std::min(middle, static_cast<std::size_t>(std::sqrt(static_cast<double>(ratios.size())) / 2));
  return {ratios[middle], (ratios[std::min(middle + spread, ratios.size() - 1)] - ratios[middle - spread]) / 2};
}

/// `rate_unit` and `cpu_unit` as headings.
void show(const std::string& title, const std::vector<Gateway>& gateways, const Rows& rows, const char* rate_unit,
          const char* cpu_unit) {
  fmt::print("\n{}\n{:>24} {:>12} {:>9} {:>10} {:>14} {:>9} {:>10} {:>6}\n", title, "", rate_unit, "of empty", "of router",
             cpu_unit, "of empty", "of router", "lost");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::size_t lost = 0;
    for (const auto& one : rows[i]) lost += one.lost;
    const auto against = [&](std::size_t other, double Measured::*what) { return ratio(rows[i], rows[other], what).median; };
    fmt::print("{:>24} {:>12.2f} {:>9.3f} {:>10.3f} {:>14.3f} {:>8.3f}× {:>9.3f}× {:>6}\n", gateways[i].name,
               median_of(rows[i], &Measured::rate), against(empty, &Measured::rate), against(router, &Measured::rate),
               median_of(rows[i], &Measured::cpu), against(empty, &Measured::cpu), against(router, &Measured::cpu), lost);
  }
  std::fflush(stdout);
}

void judge(const char* how, const Ratio& of_empty, const Ratio& of_router) {
  fmt::print("\nTCP throughput at least {:.2f} of an empty ruleset's, {}: {} ({:.3f} ± {:.3f}; of a router's {:.3f} ± {:.3f})",
             least_of_empty, how, of_empty.median >= least_of_empty ? "holds" : "does not hold", of_empty.median, of_empty.error,
             of_router.median, of_router.error);
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

  const std::size_t packets = quick ? 20'000 : 60'000;
  for (const bool from_school : {true, false}) {
    const auto rows = measure(gateways.size(), arguments.rounds, [&](std::size_t i) {
      traffic[i].warm_up();
      const auto measured = traffic[i].measure(from_school, packets);
      return Measured{measured.per_second / 1000, measured.cpu_us, measured.lost};
    });
    show(fmt::format("Datagrams of 60 octets {} the tablets", from_school ? "from" : "to"), gateways, rows, "kpackets/s",
         "CPU, µs each");
  }
  const std::size_t octets = 15'000'000, streams = quick ? 2 : streams_a_round * arguments.rounds;
  const auto stream = [&](Cores cores) {
    return measure(gateways.size(), streams, [&](std::size_t i) {
      const auto measured = measure_stream(gateways[i], octets, cores);
      return Measured{measured.gbit_per_second, measured.cpu_ms_per_gb, 0};
    });
  };
  const auto one = stream(Cores::one), two = stream(Cores::two);
  show("TCP, both ends on one core", gateways, one, "Gbit/s", "CPU, ms/GB");
  show("TCP, each end on a core of its own", gateways, two, "Gbit/s", "CPU, ms/GB");
  if (!quick) {
    const auto by_clock = [&](std::size_t other) { return ratio(two[product], two[other], &Measured::rate); };
    const auto by_cpu = [&](std::size_t other) { return ratio(one[other], one[product], &Measured::cpu); };
    judge("on two cores, by the clock", by_clock(empty), by_clock(router));
    judge("on one core, by CPU time", by_cpu(empty), by_cpu(router));
  }
  fmt::print("\n");
  return 0;
}
