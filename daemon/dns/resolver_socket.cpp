// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/resolver_socket.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace schultor::dns {

base::Result<base::UniqueFd> connect_to_resolver(const base::Endpoint& resolver, int type) {
  const bool ipv4 = resolver.address.family == base::Family::ipv4;
  base::UniqueFd fd(socket(ipv4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return base::fail_errno(errno, "opening a socket towards the resolver");
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (ipv4) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(resolver.port);
    std::memcpy(&address.sin_addr, resolver.address.octets.data(), sizeof address.sin_addr);
    std::memcpy(&storage, &address, size = sizeof address);
  } else {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(resolver.port);
    std::memcpy(&address.sin6_addr, resolver.address.octets.data(), sizeof address.sin6_addr);
    std::memcpy(&storage, &address, size = sizeof address);
  }
  // The kernel picks a random source port, and lets only the resolver's packets in.
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0 && errno != EINPROGRESS)
    return base::fail_errno(errno, fmt::format("resolver {}", base::to_string(resolver)));
  return fd;
}

}  // namespace schultor::dns
