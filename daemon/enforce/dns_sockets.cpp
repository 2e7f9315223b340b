// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/dns_sockets.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#ifndef SO_RCVMARK
#define SO_RCVMARK 75  // asm-generic/socket.h since Linux 5.19
#endif

namespace schultor::enforce {
namespace {

constexpr int receive_buffer = 4 << 20;  // bytes; a class that opens its tablets at once must not lose a question
/// Bytes. Answers to neighbours that do not answer wait for three seconds and count against it: questions from addresses that a
/// tablet makes up must not leave the others without theirs. How much waits for one address is bounded by unres_qlen_bytes.
constexpr int send_buffer = 32 << 20;
constexpr int backlog = 256;

base::Result<void> set_option(int fd, int level, int option, int value, const char* name) {
  if (setsockopt(fd, level, option, &value, sizeof value) != 0) return base::fail_errno(errno, name);
  return {};
}

base::Result<base::UniqueFd> open_bound(int type, std::uint16_t port) {
  base::UniqueFd fd(socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return base::fail_errno(errno, "opening the gate's socket");
  struct Option {
    int level, name, value;
    const char* text;
  };
  const Option options[] = {{IPPROTO_IPV6, IPV6_V6ONLY, 0, "IPV6_V6ONLY"}, {SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT"}};
  for (const auto& option : options)
    if (auto set = set_option(fd.get(), option.level, option.name, option.value, option.text); !set)
      return base::pass(std::move(set));
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(port);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0)
    return base::fail("port {} of the DNS gate: {}: see who holds it with “ss -lnp sport = :{}”", port,
                      std::generic_category().message(errno), port);
  return fd;
}

}  // namespace

base::Result<DnsSockets> open_dns_sockets(std::uint16_t port) {
  auto udp = open_bound(SOCK_DGRAM, port);
  if (!udp) return base::pass(std::move(udp));
  if (auto set = set_option(udp->get(), SOL_SOCKET, SO_RCVMARK, 1, "SO_RCVMARK (Linux 5.19 or newer)"); !set)
    return base::pass(std::move(set));
  if (auto set = set_option(udp->get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO"); !set)
    return base::pass(std::move(set));
  // No answer is cut into fragments, and no word from outside on the path's size (ICMP) changes how answers are sent. An answer of
  // limits::udp_answer octets fits everywhere.
  if (auto set = set_option(udp->get(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT, "IPV6_MTU_DISCOVER"); !set)
    return base::pass(std::move(set));
  if (auto set = set_option(udp->get(), IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT, "IP_MTU_DISCOVER"); !set)
    return base::pass(std::move(set));
  // CAP_NET_ADMIN lifts net.core.rmem_max and wmem_max.
  if (auto set = set_option(udp->get(), SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer, "SO_RCVBUFFORCE"); !set)
    return base::pass(std::move(set));
  if (auto set = set_option(udp->get(), SOL_SOCKET, SO_SNDBUFFORCE, send_buffer, "SO_SNDBUFFORCE"); !set)
    return base::pass(std::move(set));
  auto tcp = open_bound(SOCK_STREAM, port);
  if (!tcp) return base::pass(std::move(tcp));
  if (listen(tcp->get(), backlog) != 0) return base::fail_errno(errno, "listening on the gate's TCP port");
  return DnsSockets{std::move(*udp), std::move(*tcp)};
}

}  // namespace schultor::enforce
