// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/gate/servers.hpp"

#include "tests/bench/gate/floor.hpp"
#include "tests/bench/gate/gateway.hpp"
#include "tests/kernel/network_namespace.hpp"

#include <fmt/format.h>

namespace schultor::bench {
namespace {

constexpr std::uint16_t unbound_port = 5410, dnsdist_port = 5411, dnsmasq_port = 5412, dnsmasq_nftset_port = 5413;
constexpr const char* gate_name = "schultor-dns";
constexpr const char* floor_name = "echo (floor)";

/// Another one at each call: the floor runs twice, and servers do with few names and with many.
std::uint16_t free_port() {
  static std::uint16_t next = 5420;
  return next++;
}

/// "schultor-dns, 5M".
std::string name_with(const char* name, const Refused& refused) {
  return refused.names % 1'000'000 == 0 ? fmt::format("{}, {}M", name, refused.names / 1'000'000)
                                        : fmt::format("{}, {}k", name, refused.names / 1'000);
}

/// With schultord's stand-in beside it.
Server start_gate(const Directory& directory, const std::string& program, const std::string& name, const std::string& table) {
  Server server{name, free_port(), {}, {}};
  server.log = directory.file(fmt::format("gate{}.log", server.port));
  const auto socket = directory.file(fmt::format("gate{}.sock", server.port));
  server.processes.push_back(Process::start([=, port = server.port] { serve_gate(socket, port, table); }, server_core));
  server.processes.push_back(Process::start({program, "--socket", socket, "--resolver", fmt::format("127.0.0.1:{}", upstream_port)},
                                            server_core, server.log));
  return server;
}

/// `rules` is configuration in Lua.
Server start_dnsdist(const Directory& directory, const std::string& name, std::uint16_t port, const std::string& rules) {
  Server server{name, port, {}, directory.file(fmt::format("dnsdist{}.log", port))};
  const auto configuration = directory.write(fmt::format("dnsdist{}.conf", port), fmt::format(R"(setLocal("127.0.0.1:{}")
newServer({{address="127.0.0.1:{}", checkName="up.test.", sockets=4}})
getPool(""):setCache(newPacketCache(200000, {{maxTTL=300}}))
setMaxUDPOutstanding(65535)
setSecurityPollSuffix("")
{})",
                                                                                              port, upstream_port, rules));
  server.processes.push_back(
      Process::start({"dnsdist", "--supervised", "--disable-syslog", "-C", configuration}, server_core, server.log));
  return server;
}

}  // namespace

bool is_gate(const Server& server) { return server.name.rfind(gate_name, 0) == 0; }
bool is_floor(const Server& server) { return server.name == floor_name; }

Server start_floor() {
  Server server{floor_name, free_port(), {}, {}};
  server.processes.push_back(Process::start([port = server.port] { echo(port); }, server_core));
  return server;
}

Server start_gate(const Directory& directory, const std::string& program) { return start_gate(directory, program, gate_name, {}); }

Server start_gate(const Directory& directory, const std::string& program, const Refused& refused) {
  return start_gate(directory, program, name_with(gate_name, refused), refused.table);
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

Server start_dnsdist(const Directory& directory) { return start_dnsdist(directory, "dnsdist", dnsdist_port, {}); }

Server start_dnsdist(const Directory& directory, const Refused& refused) {
  return start_dnsdist(directory, name_with("dnsdist", refused), free_port(),
                       fmt::format(R"(local refused = newSuffixMatchNode()
for name in io.lines("{}") do refused:add(newDNSName(name)) end
addAction(SuffixMatchNodeRule(refused), RCodeAction(DNSRCode.NXDOMAIN))
)",
                                   refused.file));
}

Server start_dnsmasq(const Directory& directory, bool nftset) {
  if (nftset) test::run("nft 'add table inet dnsmasq; add set inet dnsmasq pins { type ipv4_addr; flags timeout; timeout 10m; }'");
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

std::string gate_program(const Arguments& arguments, const std::string& benchmark) {
  if (const auto given = arguments.values.find("--gate"); given != arguments.values.end()) return given->second;
  return program_beside(benchmark, "daemon/app/schultor-dns");
}

}  // namespace schultor::bench
