// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/forward/stream.hpp"

#include "tests/bench/lib/measuring.hpp"
#include "tests/bench/lib/process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ratio>
#include <thread>
#include <vector>

namespace schultor::bench {
namespace {

constexpr unsigned first_core = 0, last_core = 1;
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

/// Either end of a transfer: what is still to come, and room for a piece of it.
struct Side {
  int fd;
  std::size_t left;
  std::vector<char> room = std::vector<char>(piece);

  /// Sends or receives what it can; without waiting where the socket does not. Whether there was anything.
  bool send_some() { return advance(send(fd, room.data(), std::min(left, piece), MSG_NOSIGNAL)); }
  bool receive_some() { return advance(recv(fd, room.data(), std::min(left, piece), 0)); }

private:
  bool advance(ssize_t moved) {
    if (moved < 0 && errno == EAGAIN) return false;
    if (moved <= 0) give_up("a connection ended in the middle of a transfer");
    left -= static_cast<std::size_t>(moved);
    return true;
  }
};

void transfer_on_two_cores(const Connection& connection, std::size_t octets) {
  std::thread sender([&] {
    use_core(first_core);
    for (Side side{connection.near.get(), octets}; side.left > 0;)
      if (!side.send_some()) give_up("nothing could be sent for half a minute");
  });
  use_core(last_core);
  for (Side side{connection.far.get(), octets}; side.left > 0;)
    if (!side.receive_some()) give_up("nothing came for half a minute");
  sender.join();
}

void transfer_on_one_core(const Connection& connection, std::size_t octets) {
  use_core(first_core);
  for (const int fd : {connection.near.get(), connection.far.get()}) fcntl(fd, F_SETFL, O_NONBLOCK);
  Side sender{connection.near.get(), octets}, receiver{connection.far.get(), octets};
  while (receiver.left > 0) {
    bool moved = false;
    while (sender.left > 0 && sender.send_some()) moved = true;
    while (receiver.left > 0 && receiver.receive_some()) moved = true;
    if (moved) continue;
    std::array<pollfd, 2> waiting{{{sender.fd, static_cast<short>(sender.left > 0 ? POLLOUT : 0), 0}, {receiver.fd, POLLIN, 0}}};
    if (poll(waiting.data(), waiting.size(), 30'000) <= 0) give_up("a transfer does not go on");
  }
}

}  // namespace

Stream measure_stream(const Gateway& gateway, std::size_t octets, Cores cores) {
  const auto connection = connect_through(gateway);
  const auto cpu = [] { return process_cpu_us() + softirq_cpu_us(first_core) + softirq_cpu_us(last_core); };
  const double before = cpu();
  const double seconds = timed<std::ratio<1>>([&] {
    if (cores == Cores::two) transfer_on_two_cores(connection, octets);
    else transfer_on_one_core(connection, octets);
  });
  const double gigabytes = static_cast<double>(octets) / 1e9;
  return {8 * gigabytes / seconds, (cpu() - before) / 1000 / gigabytes};
}

}  // namespace schultor::bench
