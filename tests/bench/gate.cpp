// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// What the DNS gate costs a query, next to a floor (an echo server) and to peers (unbound, dnsdist, dnsmasq: `tools/packages
// install bench`) in the same run. All of it in a network namespace of its own, on loopback: servers on the last core, load and
// upstream on the first. Rounds alternate between the servers; medians. CPU is what the server's threads used, schultord's stand-in
// included where it pins.
#include "tests/bench/gate/flood.hpp"
#include "tests/bench/gate/floor.hpp"
#include "tests/bench/gate/gateway.hpp"
#include "tests/bench/gate/load.hpp"
#include "tests/bench/gate/rounds.hpp"
#include "tests/bench/gate/servers.hpp"
#include "tests/bench/lib/listed_names.hpp"
#include "tests/kernel/network_namespace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <map>
#include <thread>

using namespace schultor;
using namespace schultor::bench;

namespace {

constexpr std::size_t hot_names = 1000;
constexpr const char* swapped_name = "swapped.example";

NameOf hot(const std::string& below) {
  return [below](std::size_t n) { return fmt::format("h{}.{}", n * 7919 % hot_names, below); };
}

void show(const std::string& title, const std::vector<Server>& servers, const std::map<std::string, Row>& rows) {
  fmt::print("\n{}\n{:>24} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7} {:>7}\n", title, "", "CPU, µs", "to gate", "kqps", "p50, µs",
             "p99, µs", "lost", "wrong");
  const auto gate = std::find_if(servers.begin(), servers.end(), is_gate);
  const double own = median(rows.at(gate->name).cpu_us);
  for (const auto& server : servers) {
    const auto& row = rows.at(server.name);
    const auto cpu = median(row.cpu_us);
    fmt::print("{:>24} {:>9.2f} {:>8.2f}× {:>9.1f} {:>9.0f} {:>9.0f} {:>7} {:>7}\n", server.name, cpu, cpu / own, median(row.kqps),
               median(row.p50), median(row.p99), row.lost, row.wrong);
  }
  std::fflush(stdout);
}

void measure(const Case& what, const std::vector<Server>& servers, std::size_t rounds) {
  std::map<std::string, Row> rows;
  for (std::size_t round = 0; round < rounds; ++round)
    for (const auto& server : servers) measure_once(what, server, rows[server.name]);
  show(what.title, servers, rows);
  for (const auto& server : servers)
    if (is_gate(server) && rows[server.name].wrong > 0) give_up("the gate gave answers that are none");
}

std::vector<Server> start_all(const Directory& directory, const std::string& gate, bool peers) {
  std::vector<Server> servers;
  servers.push_back(start_floor());
  servers.push_back(start_gate(directory, gate));
  for (const auto& [peer, start] : std::initializer_list<std::pair<const char*, std::function<Server()>>>{
           {"unbound", [&] { return start_unbound(directory); }},
           {"dnsdist", [&] { return start_dnsdist(directory); }},
           {"dnsmasq", [&] { return start_dnsmasq(directory, false); }},
           {"dnsmasq", [&] { return start_dnsmasq(directory, true); }}}) {
    if (!peers) continue;
    if (installed(peer)) servers.push_back(start());
    else fmt::print("{} is not installed: left out (tools/packages install bench)\n", peer);
  }
  for (const auto& server : servers) await_dns(server.port, leisure_view, "up.test", server.log);
  return servers;
}

/// Each of the listed names, spread evenly, now and then with a label in front.
NameOf listed(std::size_t names) {
  static std::size_t begun = 0;
  return [names, first = begun += 10'000'019](std::size_t n) {
    auto name = listed_name((first + n * 7919) % names);
    if (n % 4 == 0) name.insert(0, "cdn7.");
    return name;
  };
}

/// Seconds from the moment in which another table lies there until the gate answers by it: each of the two in turn.
double swap_tables(const Server& gate, const std::string& in_use, const std::string& with, const std::string& without,
                   std::size_t rounds) {
  std::vector<double> seconds;
  for (std::size_t round = 0; round < 2 * rounds; ++round) {
    const bool refused = round % 2 == 0;
    const auto next = in_use + ".next";
    std::filesystem::copy_file(refused ? with : without, next);
    seconds.push_back(timed<std::ratio<1>>([&] {
      std::filesystem::rename(next, in_use);
      gate.processes.front().signal(SIGHUP);
      await_dns(gate.port, leisure_view, swapped_name, gate.log, refused);
    }));
  }
  return median(std::move(seconds));
}

/// The same questions, refused by a gate and by dnsdist, with so many names and with five times as many.
void measure_refused(const Directory& directory, const std::string& gate, std::size_t names, std::size_t questions, bool peers,
                     std::size_t rounds) {
  std::vector<Server> servers;
  servers.push_back(start_floor());
  servers.push_back(start_gate(directory, gate));
  await_dns(servers.back().port, leisure_view, "up.test", servers.back().log);
  std::string costs;
  for (const auto size : {names, 5 * names}) {
    const auto folder = directory.path() / fmt::format("lists{}", size);
    Refused refused{size, directory.file(fmt::format("names{}", size)), directory.file(fmt::format("table{}", size))};
    write_lists(folder, size);
    write_names(refused.file, size);
    const auto compiled = compile_lists(folder, refused.table);
    const auto without = directory.file("without"), with = directory.file("with");
    std::filesystem::copy_file(refused.table, without, std::filesystem::copy_options::overwrite_existing);
    std::ofstream(folder / list_name(0) / "domains", std::ios::app) << swapped_name << '\n';
    compile_lists(folder, with);
    const auto add = [&](const std::function<Server()>& start) {
      return timed<std::ratio<1>>([&] {
        servers.push_back(start());
        await_dns(servers.back().port, leisure_view, "up.test", servers.back().log);
      });
    };
    const auto own = add([&] { return start_gate(directory, gate, refused); });
    const auto swapped = swap_tables(servers.back(), refused.table, with, without, rounds);
    costs += fmt::format(
        "{:>24}: {:.3f} s from its start to its first answer, {:.3f} s to swap its table; compiled in {:.1f} s with {:.0f} MB\n",
        servers.back().name, own, swapped, compiled.seconds, compiled.peak_mb);
    if (!peers || !installed("dnsdist")) continue;
    const auto other = add([&] { return start_dnsdist(directory, refused); });
    costs += fmt::format("{:>24}: {:.1f} s from its start to its first answer\n", servers.back().name, other);
  }
  // The one without lists is there for its memory.
  const double without = servers[1].processes.back().resident_mb();
  servers.erase(servers.begin() + 1);
  const Case refusal{fmt::format("refused: each name once, of {} and of {} listed", names, 5 * names),
                     leisure_view,
                     [&] { return listed(names); },
                     questions,
                     0,
                     true};
  measure(refusal, servers, rounds);
  for (const auto& server : servers)
    if (!is_floor(server)) costs += fmt::format("{:>24}: {:.0f} MB resident\n", server.name, server.processes.back().resident_mb());
  fmt::print("\n{}{:>24}: {:.0f} MB resident\n", costs, "schultor-dns, no lists", without);
}

}  // namespace

int main(int count, char** words) {
  const auto arguments = arguments_of(count, words, 5, {"--no-peers"}, {"--gate", "--only"});
  const auto only = arguments.values.find("--only");
  const auto program = gate_program(arguments, words[0]);
  test::enter_network_namespace();
  test::run("ip link set lo up");
  use_core(load_core);
  const Directory directory;
  const auto upstream = Process::start([] { answer_all(upstream_port); }, load_core);
  await_dns(upstream_port, 0, "up.test", "");

  fmt::print("Medians of {} alternating rounds; servers on core {}, load and upstream on core {}.\n", arguments.rounds, server_core,
             load_core);
  // One round is for looking whether it works.
  const bool quick = arguments.rounds == 1;
  const std::size_t many = quick ? 2'000 : 100'000;
  const std::size_t few = quick ? 200 : 10'000;
  const auto is_wanted = [&](const std::string& title) {
    return only == arguments.values.end() || title.find(only->second) != std::string::npos;
  };
  const bool peers = !arguments.flags.contains("--no-peers");
  const auto servers = start_all(directory, program, peers);
  const auto allowed = [] { return fresh("lernen.test"); };
  const auto open = [] { return fresh("frei.test"); };
  for (const Case& one : {
           Case{"hot: 1,000 listed names over and over", school_view, [] { return hot("lernen.test"); }, 2 * many, 0},
           Case{"forwarded, not pinned: each name once, in an open view", leisure_view, open, many, 0},
           Case{"forwarded and pinned: each name once, listed", school_view, allowed, many, 0},
           Case{"2,000 a second, forwarded, not pinned", leisure_view, open, few, 2000},
           Case{"2,000 a second, forwarded and pinned", school_view, allowed, few, 2000},
       })
    if (is_wanted(one.title)) measure(one, servers, arguments.rounds);
  if (is_wanted("flood")) measure_flood(std::find_if(servers.begin(), servers.end(), is_gate)->port, arguments.rounds, quick);
  if (is_wanted("refused")) measure_refused(directory, program, quick ? 20'000 : 1'000'000, 2 * many, peers, arguments.rounds);
  return 0;
}
