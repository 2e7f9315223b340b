// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/udp_server.hpp"

#include "daemon/dns/limits.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

namespace schultor::dns {
namespace {

constexpr std::size_t batch_size = 32;
/// Reads of a whole batch when a socket is drained for the last time.
constexpr int most_last_reads = 256;
constexpr std::size_t mark_space = CMSG_SPACE(sizeof(std::uint32_t));
constexpr std::size_t local_space = CMSG_SPACE(sizeof(in6_pktinfo));

bool is_link_local(const in6_addr& address) { return IN6_IS_ADDR_LINKLOCAL(&address); }

struct Origin {
  std::uint32_t mark = 0;
  std::optional<in6_pktinfo> local;
};

Origin origin_of(msghdr& header) {
  Origin origin;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_MARK && part->cmsg_len == CMSG_LEN(sizeof origin.mark))
      std::memcpy(&origin.mark, CMSG_DATA(part), sizeof origin.mark);
    if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO && part->cmsg_len == CMSG_LEN(sizeof(in6_pktinfo)))
      std::memcpy(&origin.local.emplace(), CMSG_DATA(part), sizeof(in6_pktinfo));
  }
  return origin;
}

}  // namespace

struct UdpServer::Batch {
  struct alignas(cmsghdr) Control {
    std::array<char, mark_space + local_space> octets;
  };
  std::array<std::array<std::uint8_t, limits::question>, batch_size> packets;
  std::array<sockaddr_in6, batch_size> peers;
  std::array<Control, batch_size> controls;
  std::array<iovec, batch_size> parts;
  std::array<mmsghdr, batch_size> headers;
};

UdpServer::UdpServer(base::EventLoop& loop, OnQuestion on_question)
    : loop_(loop), on_question_(std::move(on_question)), batch_(std::make_unique<Batch>()) {}
UdpServer::~UdpServer() { source_.reset(); }

base::Result<void> UdpServer::use(base::UniqueFd socket) {
  auto source = loop_.watch(socket.get(), EPOLLIN, [this](std::uint32_t) { receive(); });
  if (!source) return base::pass(std::move(source));
  if (socket_)
    for (int i = 0; i < most_last_reads && receive(); ++i) flush();
  source_ = std::move(*source);
  socket_ = std::move(socket);
  return {};
}

/// Whether there may be more.
bool UdpServer::receive() {
  auto& batch = *batch_;
  for (std::size_t i = 0; i < batch_size; ++i) {
    batch.parts[i] = {batch.packets[i].data(), batch.packets[i].size()};
    batch.headers[i] = {};
    auto& header = batch.headers[i].msg_hdr;
    header.msg_name = &batch.peers[i];
    header.msg_namelen = sizeof batch.peers[i];
    header.msg_iov = &batch.parts[i];
    header.msg_iovlen = 1;
    header.msg_control = batch.controls[i].octets.data();
    header.msg_controllen = batch.controls[i].octets.size();
  }
  const int count = recvmmsg(socket_.get(), batch.headers.data(), batch_size, MSG_DONTWAIT, nullptr);
  for (std::size_t i = 0; count > 0 && i < static_cast<std::size_t>(count); ++i) {
    auto& header = batch.headers[i].msg_hdr;
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || header.msg_namelen != sizeof(sockaddr_in6)) continue;
    const auto origin = origin_of(header);
    if (!origin.local) continue;
    on_question_(UdpPeer{batch.peers[i], *origin.local}, origin.mark, ByteView(batch.packets[i]).first(batch.headers[i].msg_len));
  }
  return count == static_cast<int>(batch_size);
}

void UdpServer::answer(const UdpPeer& peer, Bytes packet) { answers_.emplace_back(peer, std::move(packet)); }

void UdpServer::flush() {
  std::array<iovec, batch_size> parts{};
  std::array<mmsghdr, batch_size> headers{};
  struct alignas(cmsghdr) Control {
    std::array<char, local_space> octets;
  };
  std::array<Control, batch_size> controls{};
  for (std::size_t first = 0; socket_ && first < answers_.size();) {
    const std::size_t count = std::min(batch_size, answers_.size() - first);
    for (std::size_t i = 0; i < count; ++i) {
      auto& [peer, packet] = answers_[first + i];
      // The routes decide where it leaves, but for an address that means something on its link only.
      if (!is_link_local(peer.local.ipi6_addr)) peer.local.ipi6_ifindex = 0;
      parts[i] = {packet.data(), packet.size()};
      headers[i] = {};
      auto& header = headers[i].msg_hdr;
      header.msg_name = &peer.address;
      header.msg_namelen = sizeof peer.address;
      header.msg_iov = &parts[i];
      header.msg_iovlen = 1;
      header.msg_control = controls[i].octets.data();
      header.msg_controllen = controls[i].octets.size();
      cmsghdr* local = CMSG_FIRSTHDR(&header);
      local->cmsg_level = IPPROTO_IPV6;
      local->cmsg_type = IPV6_PKTINFO;
      local->cmsg_len = CMSG_LEN(sizeof peer.local);
      std::memcpy(CMSG_DATA(local), &peer.local, sizeof peer.local);
    }
    const int sent = sendmmsg(socket_.get(), headers.data(), static_cast<unsigned>(count), MSG_DONTWAIT | MSG_NOSIGNAL);
    // An answer that cannot be sent is one that got lost: the tablet asks again.
    first += sent > 0 ? static_cast<std::size_t>(sent) : 1;
  }
  answers_.clear();
}

}  // namespace schultor::dns
