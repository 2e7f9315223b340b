// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/leak/flows.hpp"

#include "tests/bench/lib/measuring.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <string>
#include <system_error>
#include <utility>

namespace schultor::bench {
namespace {

constexpr std::uint16_t tcp_port = 443;
constexpr std::size_t flow_kinds = 8, flow_destinations = 5;

[[noreturn]] void give_up_errno(const std::string& what) {
  give_up(fmt::format("{}: {}", what, std::generic_category().message(errno)));
}

std::string device_of(std::size_t tablet) { return fmt::format("tablet{}", tablet); }

std::string address_of_tablet(std::size_t tablet, base::Family family) {
  return family == base::Family::ipv4 ? fmt::format("10.77.{}.{}", 1 + tablet / 200, 1 + tablet % 200)
                                      : fmt::format("fd77::1:{:x}", 1 + tablet);
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress socket_address(const base::Address& address, std::uint16_t port) {
  SocketAddress made;
  const auto text = base::to_string(address);
  if (address.family == base::Family::ipv4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    inet_pton(AF_INET, text.c_str(), &v4.sin_addr);
    std::memcpy(&made.storage, &v4, sizeof v4);
    made.size = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr);
    std::memcpy(&made.storage, &v6, sizeof v6);
    made.size = sizeof v6;
  }
  return made;
}

/// Blocking, for no longer than ten seconds.
base::UniqueFd open_socket(base::Family family, bool tcp) {
  base::UniqueFd fd(socket(family == base::Family::ipv4 ? AF_INET : AF_INET6, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0));
  const timeval patience{10, 0};
  const int on = 1;
  if (!fd || setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
      setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
      setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
    give_up_errno("a socket");
  return fd;
}

base::UniqueFd open_server(Destination to, base::Family family, bool tcp, std::uint16_t port) {
  auto fd = open_socket(family, tcp);
  const auto own = socket_address(address_of(to, family), port);
  if (bind(fd.get(), own.get(), own.size) != 0 || (tcp && listen(fd.get(), 1024) != 0)) give_up_errno("a server");
  return fd;
}

base::UniqueFd open_client(const Flow& flow, std::uint16_t port) {
  auto fd = open_socket(flow.family, flow.tcp);
  const auto device = device_of(flow.tablet);
  const auto own = socket_address(must(base::parse_address(address_of_tablet(flow.tablet, flow.family))), 0);
  const auto server = socket_address(address_of(flow.to, flow.family), port);
  if (setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, device.c_str(), static_cast<socklen_t>(device.size())) != 0 ||
      bind(fd.get(), own.get(), own.size) != 0 || connect(fd.get(), server.get(), server.size) != 0)
    give_up_errno(fmt::format("{} cannot connect to {}", device, base::to_string(address_of(flow.to, flow.family))));
  return fd;
}

void carry(int from, int to) {
  char octet = 'h';
  if (send(from, &octet, 1, MSG_NOSIGNAL) != 1 || recv(to, &octet, 1, 0) != 1)
    give_up_errno("a flow that is allowed carries nothing");
}

/// The server of a flow of UDP learns by the first datagram whom to speak to.
void greet(Flow& flow) {
  char octet = 'h';
  SocketAddress peer;
  peer.size = sizeof peer.storage;
  if (send(flow.near.get(), &octet, 1, 0) != 1 || recvfrom(flow.far.get(), &octet, 1, 0, peer.get(), &peer.size) != 1 ||
      connect(flow.far.get(), peer.get(), peer.size) != 0)
    give_up_errno("a flow of UDP");
}

void open_flow(Flow& flow, const base::UniqueFd& server, const ThreeHosts& hosts, std::uint16_t port) {
  {
    const Host::Inside inside(hosts.school);
    flow.near = open_client(flow, port);
  }
  if (flow.tcp) {
    flow.far = base::UniqueFd(accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!flow.far) give_up_errno("a server of TCP");
    carry(flow.near.get(), flow.far.get());
  } else {
    greet(flow);
  }
  carry(flow.far.get(), flow.near.get());
  for (const int fd : {flow.near.get(), flow.far.get()}) {
    fcntl(fd, F_SETFL, O_NONBLOCK);
    // Else a word waits at its own end until the one before it is acknowledged, and what was refused is that acknowledgement.
    const int on = 1;
    if (flow.tcp && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) give_up_errno("TCP_NODELAY");
  }
}

}  // namespace

base::Address address_of(Destination destination, base::Family family) {
  const int host = destination == Destination::cloud ? 10 : destination == Destination::learning ? 20 : 30;
  return must(base::parse_address(family == base::Family::ipv4 ? fmt::format("198.51.100.{}", host)
                                                               : fmt::format("2001:db8:51::{}", host)));
}

base::Mac mac_of_tablet(std::size_t tablet) {
  base::Mac mac;
  mac.octets = {2, 0x77, 0, 1, static_cast<std::uint8_t>(tablet >> 8), static_cast<std::uint8_t>(tablet)};
  return mac;
}

void plug_in(const ThreeHosts& hosts, std::size_t tablets) {
  // Each device answers for its own addresses alone.
  hosts.school.run("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 net.ipv4.conf.default.rp_filter=0");
  std::string lines;
  for (std::size_t i = 0; i < tablets; ++i) {
    const auto device = device_of(i);
    lines += fmt::format(
        "link add {0} link eth0 address {1} type macvlan mode private\nlink set {0} up\n"
        "addr add {2}/32 dev {0}\naddr add {3}/128 dev {0} nodad\n",
        device, base::to_string(mac_of_tablet(i)), address_of_tablet(i, base::Family::ipv4),
        address_of_tablet(i, base::Family::ipv6));
    // A socket that is bound to a device takes that device's route, whatever the metric.
    for (const auto gateway : {gateway4, gateway6})
      lines += fmt::format("route add default via {} dev {} onlink metric {}\n", gateway, device, i + 1);
  }
  hosts.school.ip(lines);
  lines.clear();
  for (const auto destination : {Destination::game, Destination::cloud, Destination::learning})
    lines += fmt::format("addr add {}/24 dev wan\naddr add {}/64 dev wan nodad\n",
                         base::to_string(address_of(destination, base::Family::ipv4)),
                         base::to_string(address_of(destination, base::Family::ipv6)));
  hosts.internet.ip(lines);
}

std::vector<Flow> open_flows(const ThreeHosts& hosts, std::size_t tablets, std::size_t count) {
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  setrlimit(RLIMIT_NOFILE, &descriptors);
  constexpr Destination destinations[flow_destinations]{Destination::game, Destination::cloud, Destination::game,
                                                        Destination::learning, Destination::game};
  std::map<std::pair<Destination, base::Family>, base::UniqueFd> listening;
  std::vector<Flow> flows(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& flow = flows[i];
    const std::size_t kind = i % flow_kinds;
    flow.tcp = (kind & 1U) == 0;
    flow.family = (kind & 2U) == 0 ? base::Family::ipv4 : base::Family::ipv6;
    flow.server_first = (kind & 4U) != 0;
    flow.to = destinations[i / flow_kinds % flow_destinations];
    flow.tablet = i * tablets / count;
    const auto port = flow.tcp ? tcp_port : static_cast<std::uint16_t>(first_udp_port + i);
    if (flow.tcp) {
      auto& server = listening[{flow.to, flow.family}];
      if (!server) {
        const Host::Inside inside(hosts.internet);
        server = open_server(flow.to, flow.family, true, port);
      }
      open_flow(flow, server, hosts, port);
    } else {
      {
        const Host::Inside inside(hosts.internet);
        flow.far = open_server(flow.to, flow.family, false, port);
      }
      open_flow(flow, flow.far, hosts, port);
    }
  }
  return flows;
}

}  // namespace schultor::bench
