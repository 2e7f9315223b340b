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
#include "tests/bench/gate/harness.hpp"
#include "tests/bench/gate/load.hpp"
#include "tests/kernel/network_namespace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <thread>

using namespace schultor;
using namespace schultor::bench;

namespace {

constexpr unsigned load_core = 0, server_core = 1;
constexpr std::uint16_t upstream_port = 5400, floor_port = 5401, gate_port = 5300, unbound_port = 5410, dnsdist_port = 5411,
                        dnsmasq_port = 5412, dnsmasq_nftset_port = 5413;
constexpr std::size_t hot_names = 1000;
constexpr const char* gate_name = "schultor-dns";

struct Server {
  std::string name;
  std::uint16_t port = 0;
  std::vector<Process> processes;  ///< all that a query may cost
  std::string log;
};

using NameOf = std::function<std::string(std::size_t)>;

struct Case {
  std::string title;
  std::uint32_t view = 0;
  std::function<NameOf()> names;  ///< for each measurement its own
  std::size_t questions = 0;
  double rate = 0;
};

/// Never asked before, whatever round it is.
NameOf fresh(const std::string& below) {
  static std::size_t begun = 0;
  return [below, first = begun += 10'000'000](std::size_t n) { return fmt::format("n{}.{}", first + n, below); };
}

NameOf hot(const std::string& below) {
  return [below](std::size_t n) { return fmt::format("h{}.{}", n * 7919 % hot_names, below); };
}

Server start_floor(const Directory&) {
  Server server{"echo (floor)", floor_port, {}, {}};
  server.processes.push_back(Process::start([] { echo(floor_port); }, server_core));
  return server;
}

Server start_gate(const Directory& directory, const std::string& program) {
  Server server{gate_name, gate_port, {}, directory.file("gate.log")};
  const auto socket = directory.file("gate.sock");
  server.processes.push_back(Process::start([socket] { serve_gate(socket); }, server_core));
  server.processes.push_back(Process::start({program, "--socket", socket, "--resolver", fmt::format("127.0.0.1:{}", upstream_port)},
                                            server_core, server.log));
  return server;
}

Server start_unbound(const Directory& directory) {
  Server server{"unbound", unbound_port, {}, directory.file("unbound.log")};
  const auto configuration = directory.write("unbound.conf", fmt::format(R"(server:
  interface: 127.0.0.1@{}
  num-threads: 1
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{}"
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  do-ip6: no
  module-config: "iterator"
  local-zone: "test." nodefault
  outgoing-range: 4096
  num-queries-per-thread: 2048
  msg-cache-size: 128m
  rrset-cache-size: 256m
  so-rcvbuf: 4m
  so-sndbuf: 4m
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{}
)",
                                                                         unbound_port, directory.file(""), upstream_port));
  server.processes.push_back(Process::start({"unbound", "-d", "-c", configuration}, server_core, server.log));
  return server;
}

Server start_dnsdist(const Directory& directory) {
  Server server{"dnsdist", dnsdist_port, {}, directory.file("dnsdist.log")};
  const auto configuration = directory.write("dnsdist.conf", fmt::format(R"(setLocal("127.0.0.1:{}")
newServer({{address="127.0.0.1:{}", checkName="up.test.", sockets=4}})
getPool(""):setCache(newPacketCache(200000, {{maxTTL=300}}))
setMaxUDPOutstanding(65535)
setSecurityPollSuffix("")
)",
                                                                         dnsdist_port, upstream_port));
  server.processes.push_back(
      Process::start({"dnsdist", "--supervised", "--disable-syslog", "-C", configuration}, server_core, server.log));
  return server;
}

Server start_dnsmasq(const Directory& directory, bool nftset) {
  const auto port = nftset ? dnsmasq_nftset_port : dnsmasq_port;
  Server server{nftset ? "dnsmasq --nftset" : "dnsmasq", port, {}, directory.file(nftset ? "dnsmasq-set.log" : "dnsmasq.log")};
  std::vector<std::string> command{"dnsmasq",
                                   "--keep-in-foreground",
                                   "--conf-file=/dev/null",
                                   "--no-resolv",
                                   "--no-hosts",
                                   fmt::format("--port={}", port),
                                   "--listen-address=127.0.0.1",
                                   "--bind-interfaces",
                                   fmt::format("--server=127.0.0.1#{}", upstream_port),
                                   "--cache-size=10000",
                                   "--dns-forward-max=10000",
                                   "--user=root",
                                   "--pid-file="};
  if (nftset) command.push_back("--nftset=/test/4#inet#dnsmasq#pins");
  server.processes.push_back(Process::start(command, server_core, server.log));
  return server;
}

struct Row {
  std::vector<double> cpu_us, kqps, p50, p99;
  std::size_t lost = 0, wrong = 0;
};

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
  if (server.port != floor_port) row.wrong += measured.answered - measured.with_answers;
}

void show(const std::string& title, const std::vector<Server>& servers, const std::map<std::string, Row>& rows) {
  fmt::print("\n{}\n{:>20} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7} {:>7}\n", title, "", "CPU, µs", "to gate", "kqps", "p50, µs",
             "p99, µs", "lost", "wrong");
  const double own = median(rows.at(gate_name).cpu_us);
  for (const auto& server : servers) {
    const auto& row = rows.at(server.name);
    const auto cpu = median(row.cpu_us);
    fmt::print("{:>20} {:>9.2f} {:>8.2f}× {:>9.1f} {:>9.0f} {:>9.0f} {:>7} {:>7}\n", server.name, cpu, cpu / own, median(row.kqps),
               median(row.p50), median(row.p99), row.lost, row.wrong);
  }
  std::fflush(stdout);
}

void measure(const Case& what, const std::vector<Server>& servers, std::size_t rounds) {
  std::map<std::string, Row> rows;
  for (std::size_t round = 0; round < rounds; ++round)
    for (const auto& server : servers) measure_once(what, server, rows[server.name]);
  show(what.title, servers, rows);
  if (rows[gate_name].wrong > 0) give_up("the gate gave answers that are none");
}

}  // namespace

int main(int count, char** words) {
  const auto arguments = arguments_of(count, words, 5, {"--no-peers"}, {"--gate", "--only"});
  const auto only = arguments.values.find("--only");
  const auto given = arguments.values.find("--gate");
  const auto program =
      given != arguments.values.end()
          ? given->second
          : (std::filesystem::path(words[0]).parent_path() / "../../daemon/app/schultor-dns").lexically_normal().string();
  test::enter_network_namespace();
  test::run("ip link set lo up");
  use_core(load_core);
  const Directory directory;
  const auto upstream = Process::start([] { answer_all(upstream_port); }, load_core);
  await_dns(upstream_port, 0, "up.test", "");

  std::vector<Server> servers;
  servers.push_back(start_floor(directory));
  servers.push_back(start_gate(directory, program));
  for (const auto& [peer, start] : std::initializer_list<std::pair<const char*, std::function<Server()>>>{
           {"unbound", [&] { return start_unbound(directory); }},
           {"dnsdist", [&] { return start_dnsdist(directory); }},
           {"dnsmasq", [&] { return start_dnsmasq(directory, false); }},
           {"dnsmasq", [&] {
              test::run("nft 'add table inet dnsmasq; add set inet dnsmasq pins { type ipv4_addr; flags timeout; timeout 10m; }'");
              return start_dnsmasq(directory, true);
            }}}) {
    if (arguments.flags.contains("--no-peers")) continue;
    if (installed(peer)) servers.push_back(start());
    else fmt::print("{} is not installed: left out (tools/packages install bench)\n", peer);
  }
  for (const auto& server : servers) await_dns(server.port, leisure_view, "up.test", server.log);

  fmt::print("Medians of {} alternating rounds; servers on core {}, load and upstream on core {}.\n", arguments.rounds, server_core,
             load_core);
  // One round is for looking whether it works.
  const bool quick = arguments.rounds == 1;
  const std::size_t many = quick ? 2'000 : 100'000;
  const std::size_t few = quick ? 200 : 10'000;
  const auto listed = [] { return fresh("lernen.test"); };
  const auto open = [] { return fresh("frei.test"); };
  for (const Case& one : {
           Case{"hot: 1,000 listed names over and over", school_view, [] { return hot("lernen.test"); }, 2 * many, 0},
           Case{"forwarded, not pinned: each name once, in an open view", leisure_view, open, many, 0},
           Case{"forwarded and pinned: each name once, listed", school_view, listed, many, 0},
           Case{"2,000 a second, forwarded, not pinned", leisure_view, open, few, 2000},
           Case{"2,000 a second, forwarded and pinned", school_view, listed, few, 2000},
       })
    if (only == arguments.values.end() || one.title.find(only->second) != std::string::npos)
      measure(one, servers, arguments.rounds);
  if (only == arguments.values.end() || only->second == "flood") measure_flood(gate_port, arguments.rounds, quick);
  return 0;
}
