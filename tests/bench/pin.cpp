// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// What a pin adds to a question: names resolved and pinned a second, and the latency at a rate that leaves the server idle, each
// beside the same question that needs no pin, in the same run. The gate asks an upstream that answers at once and waits for the
// kernel's acknowledgement before it answers; dnsmasq, where it is installed, is the peer: without and with its --nftset. All of it
// in a network namespace of its own, as in gate.cpp; rounds alternate, medians.
#include "netfilter/kernel/connection.hpp"
#include "netfilter/planner/build.hpp"
#include "tests/bench/gate/floor.hpp"
#include "tests/bench/gate/gateway.hpp"
#include "tests/bench/gate/load.hpp"
#include "tests/bench/gate/rounds.hpp"
#include "tests/kernel/network_namespace.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

using namespace schultor;
using namespace schultor::bench;

namespace {

/// Questions a second that leave the servers idle most of the time.
constexpr double calm_rate = 2000;

/// What is asked without and with pins; the gate does both.
struct Pair {
  std::string name;
  const Server& plain;
  const Server& pinning;
};

struct Rows {
  Row plain, pinned;
};

/// Names of equal lengths: one zone is listed, the other is not.
Case question(bool pinned, std::size_t questions, double rate) {
  return {"", pinned ? school_view : leisure_view, [pinned] { return fresh(pinned ? "lernen.test" : "frei00.test"); }, questions,
          rate};
}

/// How many addresses are open.
std::size_t open_addresses() {
  std::size_t count = 0;
  auto kernel = must(netfilter::kernel::Connection::open());
  const auto set = netfilter::planner::declaration::pins("school", base::Family::ipv4);
  must(kernel.read_elements(netfilter::planner::table_name, set, [&](const auto&) { ++count; }));
  return count;
}

/// Each answer that came back has its address in the kernel.
void check(const Server& gate, std::size_t names) {
  const auto before = open_addresses();
  Row row;
  measure_once(question(true, names, 0), gate, row);
  const auto opened = open_addresses() - before;
  const auto answered = names - row.lost;
  // Two names in 2^24 addresses may share one.
  if (row.wrong > 0 || answered < names / 2 || opened + 2 < answered)
    give_up(fmt::format("of {} names {} were not answered, {} answers were none, {} addresses are open", names, row.lost, row.wrong,
                        opened));
  Row plain;
  measure_once(question(false, names, 0), gate, plain);
  if (open_addresses() != before + opened) give_up("a question that needs no pin was pinned");
}

Rows measure(const Pair& pair, std::size_t questions, double rate, std::size_t rounds) {
  Rows rows;
  for (std::size_t round = 0; round < rounds; ++round) {
    measure_once(question(false, questions, rate), pair.plain, rows.plain);
    measure_once(question(true, questions, rate), pair.pinning, rows.pinned);
  }
  return rows;
}

void show_throughput(const Pair& pair, const Rows& rows) {
  const double plain_us = median(rows.plain.cpu_us), pinned_us = median(rows.pinned.cpu_us);
  fmt::print("{:>14} {:>11.1f} {:>11.1f} {:>13.2f} {:>11.2f} {:>+9.2f} {:>8.2f}× {:>7} {:>7}\n", pair.name, median(rows.plain.kqps),
             median(rows.pinned.kqps), plain_us, pinned_us, pinned_us - plain_us, pinned_us / plain_us,
             rows.plain.lost + rows.pinned.lost, rows.plain.wrong + rows.pinned.wrong);
}

void show_latency(const Pair& pair, const Rows& rows) {
  const double p50 = median(rows.plain.p50), p99 = median(rows.plain.p99);
  const double pinned50 = median(rows.pinned.p50), pinned99 = median(rows.pinned.p99);
  fmt::print("{:>14} {:>11.0f} {:>11.0f} {:>+8.0f} {:>13.0f} {:>11.0f} {:>+9.0f} {:>7} {:>7}\n", pair.name, p50, pinned50,
             pinned50 - p50, p99, pinned99, pinned99 - p99, rows.plain.lost + rows.pinned.lost,
             rows.plain.wrong + rows.pinned.wrong);
}

}  // namespace

int main(int count, char** words) {
  const auto arguments = arguments_of(count, words, 7, {"--no-peers"}, {"--gate"});
  const auto program = gate_program(arguments, words[0]);
  test::enter_network_namespace();
  test::run("ip link set lo up");
  use_core(load_core);
  const Directory directory;
  const auto upstream = Process::start([] { answer_all(upstream_port); }, load_core);
  await_dns(upstream_port, 0, "up.test", "");
  const bool quick = arguments.rounds == 1;
  const std::size_t many = quick ? 2'000 : 100'000, few = quick ? 200 : 10'000;

  const Server gate = start_gate(directory, program);
  await_dns(gate.port, leisure_view, "up.test", gate.log);
  check(gate, 1'000);
  const bool peers = !arguments.flags.contains("--no-peers") && installed("dnsmasq");
  std::vector<Server> dnsmasq;
  for (const bool nftset : {false, true}) {
    if (!peers) continue;
    dnsmasq.push_back(start_dnsmasq(directory, nftset));
    await_dns(dnsmasq.back().port, leisure_view, "up.test", dnsmasq.back().log);
  }
  std::vector<Pair> pairs{{"schultor-dns", gate, gate}};
  if (peers) pairs.push_back({"dnsmasq", dnsmasq[0], dnsmasq[1]});
  else fmt::print("dnsmasq is left out\n");

  fmt::print(
      "Each name asked once, of an upstream that answers at once. Medians of {} alternating rounds; servers on core {}, load and\n"
      "upstream on core {}. CPU is the server's and, where it pins, that of schultord's stand-in.\n\n"
      "As fast as answers come, 256 under way: CPU is the figure to trust, the load's core may be what bounds the rate\n"
      "{:>14} {:>11} {:>11} {:>13} {:>11} {:>9} {:>9} {:>7} {:>7}\n",
      arguments.rounds, server_core, load_core, "", "kqps", "pinned", "CPU, µs", "pinned", "added", "ratio", "lost", "wrong");
  for (const auto& pair : pairs) show_throughput(pair, measure(pair, many, 0, arguments.rounds));
  fmt::print("\n{:.0f} a second\n{:>14} {:>11} {:>11} {:>8} {:>13} {:>11} {:>9} {:>7} {:>7}\n", calm_rate, "", "p50, µs", "pinned",
             "added", "p99, µs", "pinned", "added", "lost", "wrong");
  for (const auto& pair : pairs) show_latency(pair, measure(pair, few, calm_rate, arguments.rounds));
  return 0;
}
