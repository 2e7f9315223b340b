// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/packet_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace schultor::base {
namespace {

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail("{}: too long for a socket's path", path);
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return address;
}

UniqueFd packet_socket() { return UniqueFd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }

/// Each is owned from here on.
std::vector<UniqueFd> descriptors_of(msghdr& header) {
  std::vector<UniqueFd> descriptors;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t at = 0; CMSG_LEN(at + sizeof(int)) <= part->cmsg_len; at += sizeof(int)) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + at, sizeof fd);
      descriptors.emplace_back(fd);
    }
  }
  return descriptors;
}

}  // namespace

Result<UniqueFd> listen_for_packets(const std::string& path, std::optional<gid_t> group) {
  const auto address = address_of(path);
  if (!address) return fail("{}", address.error().what());
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno(errno, path);
  auto fd = packet_socket();
  if (!fd || bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0 || chmod(path.c_str(), 0660) != 0 ||
      (group && chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0) || listen(fd.get(), 4) != 0)
    return fail_errno(errno, path);
  return fd;
}

Result<UniqueFd> connect_for_packets(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return fail("{}", address.error().what());
  auto fd = packet_socket();
  if (!fd || connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) return fail_errno(errno, path);
  return fd;
}

Result<void> send_packet(int fd, std::span<const std::byte> packet, std::span<const int> descriptors) {
  // sendmsg(2) takes what it does not change as if it might.
  std::vector<std::byte> copy(packet.begin(), packet.end());
  iovec part{copy.data(), copy.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(most_descriptors * sizeof(int))> control{};
  if (descriptors.size() > most_descriptors) return fail("a message with {} descriptors", descriptors.size());
  if (!descriptors.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  }
  if (sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return fail_errno(errno, "sending a message");
  return {};
}

Result<std::optional<Packet>> receive_packet(int fd, std::span<std::byte> room) {
  iovec part{room.data(), room.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(most_descriptors * sizeof(int))> control{};
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const auto size = recvmsg(fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::optional<Packet>();
  if (size < 0) return fail_errno(errno, "receiving a message");
  Packet packet{room.first(static_cast<std::size_t>(size)), descriptors_of(header)};
  if (size == 0) return fail("the other end closed the connection");
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return fail("a message is too long, or has too many descriptors");
  return std::optional(std::move(packet));
}

}  // namespace schultor::base
