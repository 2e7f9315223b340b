// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/forward/stream.hpp"

#include "tests/bench/lib/measuring.hpp"
#include "tests/bench/lib/process.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <ratio>
#include <thread>
#include <vector>

namespace schultor::bench {
namespace {

constexpr unsigned sending_core = 0, receiving_core = 1;
constexpr std::uint16_t port = 5004;
constexpr std::size_t piece = 256 * std::size_t{1024};

base::UniqueFd open_socket() {
  base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{30, 0};
  const int on = 1;
  if (!fd || setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
      setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
      setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
    give_up("a socket of TCP");
  return fd;
}

struct Connection {
  base::UniqueFd near, far;
};

Connection connect_through(const Gateway& gateway) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, base::to_string(address_of_school_pin(1)).c_str(), &address.sin_addr);
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  base::UniqueFd server;
  {
    const Host::Inside inside(gateway.hosts.internet);
    server = open_socket();
  }
  if (bind(server.get(), where, sizeof address) != 0 || listen(server.get(), 1) != 0) give_up("a server of TCP");
  Connection made;
  {
    const Host::Inside inside(gateway.hosts.school);
    made.near = open_socket();
  }
  if (connect(made.near.get(), where, sizeof address) != 0) give_up(gateway.name + ": a pinned address cannot be reached");
  made.far = base::UniqueFd(accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!made.far) give_up(gateway.name + ": no connection arrives");
  return made;
}

void send_all(int fd, std::size_t octets) {
  const std::vector<char> nothing(piece);
  while (octets > 0) {
    const auto sent = send(fd, nothing.data(), std::min(octets, piece), MSG_NOSIGNAL);
    if (sent <= 0) give_up("a connection ended while it was sent on");
    octets -= static_cast<std::size_t>(sent);
  }
}

void receive_all(int fd, std::size_t octets) {
  while (octets > 0) {
    // Thrown away in the kernel: copying costs as much with any rules.
    const auto received = recv(fd, nullptr, std::min(octets, piece), MSG_TRUNC);
    if (received <= 0) give_up("a connection ended while it was received from");
    octets -= static_cast<std::size_t>(received);
  }
}

}  // namespace

Stream measure_stream(const Gateway& gateway, std::size_t octets, bool aggregated) {
  for (const auto& [host, interface] : {std::pair{&gateway.hosts.school, "eth0"}, std::pair{&gateway.hosts.internet, "wan"}})
    host->ip(fmt::format("link set {} gso_max_segs {}\n", interface, aggregated ? 65535 : 1));
  const auto connection = connect_through(gateway);
  const auto cpu = [] { return process_cpu_us() + softirq_cpu_us(sending_core) + softirq_cpu_us(receiving_core); };
  const double before = cpu();
  const double seconds = timed<std::ratio<1>>([&] {
    std::thread sender([&] {
      use_core(sending_core);
      send_all(connection.near.get(), octets);
    });
    use_core(receiving_core);
    receive_all(connection.far.get(), octets);
    sender.join();
  });
  const double gigabytes = static_cast<double>(octets) / 1e9;
  return {8 * gigabytes / seconds, (cpu() - before) / 1000 / gigabytes};
}

}  // namespace schultor::bench
