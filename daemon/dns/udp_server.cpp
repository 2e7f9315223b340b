// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/udp_server.hpp"

#include "daemon/dns/limits.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
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

/// Room for what one system call brings.
struct UdpServer::Questions {
  struct alignas(cmsghdr) Control {
    std::array<char, mark_space + local_space> octets;
  };
  std::array<std::array<std::uint8_t, limits::question>, batch_size> packets;
  std::array<sockaddr_in6, batch_size> peers;
  std::array<Control, batch_size> controls;
  std::array<iovec, batch_size> parts;
  std::array<mmsghdr, batch_size> headers;

  void make_ready() {
    for (std::size_t i = 0; i < batch_size; ++i) {
      parts[i] = {packets[i].data(), packets[i].size()};
      auto& header = headers[i].msg_hdr;
      header = {};
      header.msg_name = &peers[i];
      header.msg_namelen = sizeof peers[i];
      header.msg_iov = &parts[i];
      header.msg_iovlen = 1;
      header.msg_control = controls[i].octets.data();
      header.msg_controllen = controls[i].octets.size();
    }
  }
};

/// What leaves with the next system call.
struct UdpServer::Answers {
  struct alignas(cmsghdr) Control {
    std::array<char, local_space> octets;
  };
  std::size_t count = 0;
  std::array<std::array<std::uint8_t, limits::udp_answer>, batch_size> packets;
  std::array<sockaddr_in6, batch_size> peers;
  std::array<Control, batch_size> controls;
  std::array<iovec, batch_size> parts;
  std::array<mmsghdr, batch_size> headers;

  Answers() : packets(), peers(), controls(), parts(), headers() {
    for (std::size_t i = 0; i < batch_size; ++i) {
      auto& header = headers[i].msg_hdr;
      header.msg_name = &peers[i];
      header.msg_namelen = sizeof peers[i];
      header.msg_iov = &parts[i];
      header.msg_iovlen = 1;
      header.msg_control = controls[i].octets.data();
      header.msg_controllen = controls[i].octets.size();
      cmsghdr* local = CMSG_FIRSTHDR(&header);
      local->cmsg_level = IPPROTO_IPV6;
      local->cmsg_type = IPV6_PKTINFO;
      local->cmsg_len = CMSG_LEN(sizeof(in6_pktinfo));
    }
  }

  std::span<std::uint8_t> next() { return packets[count]; }
  /// What was written to next() goes to `peer`.
  void add(const UdpPeer& peer, std::size_t size) {
    parts[count] = {packets[count].data(), size};
    peers[count] = peer.address;
    // The routes decide where it leaves, but for an address that means something on its link only.
    auto local = peer.local;
    if (!is_link_local(local.ipi6_addr)) local.ipi6_ifindex = 0;
    std::memcpy(CMSG_DATA(CMSG_FIRSTHDR(&headers[count].msg_hdr)), &local, sizeof local);
    ++count;
  }
};

UdpServer::UdpServer(base::EventLoop& loop, Handlers handlers)
    : loop_(loop),
      handlers_(std::move(handlers)),
      questions_(std::make_unique<Questions>()),
      answers_(std::make_unique<Answers>()) {}
UdpServer::~UdpServer() { source_.reset(); }

base::Result<void> UdpServer::use(base::UniqueFd socket) {
  auto source = loop_.watch(socket.get(), EPOLLIN, [this](std::uint32_t) { receive(); });
  if (!source) return base::pass(std::move(source));
  if (socket_)
    for (int i = 0; i < most_last_reads && receive(); ++i) {
    }
  source_ = std::move(*source);
  socket_ = std::move(socket);
  return {};
}

/// Whether there may be more.
bool UdpServer::receive() {
  auto& batch = *questions_;
  batch.make_ready();
  const int count = recvmmsg(socket_.get(), batch.headers.data(), batch_size, MSG_DONTWAIT, nullptr);
  const auto now = std::chrono::steady_clock::now();
  for (std::size_t i = 0; count > 0 && i < static_cast<std::size_t>(count); ++i) {
    auto& header = batch.headers[i].msg_hdr;
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || header.msg_namelen != sizeof(sockaddr_in6)) continue;
    const auto origin = origin_of(header);
    if (!origin.local) continue;
    const UdpPeer peer{batch.peers[i], *origin.local};
    const auto question = ByteView(batch.packets[i]).first(batch.headers[i].msg_len);
    if (answers_->count == batch_size) flush();
    if (const auto size = handlers_.at_once(peer, origin.mark, question, answers_->next(), now); size > 0)
      answers_->add(peer, size);
    else handlers_.question(peer, origin.mark, question, now);
  }
  flush();
  return count == static_cast<int>(batch_size);
}

void UdpServer::answer(const UdpPeer& peer, ByteView packet) {
  if (answers_->count == batch_size) flush();
  if (packet.size() > answers_->next().size()) return;
  std::copy(packet.begin(), packet.end(), answers_->next().begin());
  answers_->add(peer, packet.size());
}

void UdpServer::flush() {
  auto& batch = *answers_;
  for (std::size_t first = 0; socket_ && first < batch.count;) {
    const int sent = sendmmsg(socket_.get(), batch.headers.data() + first, static_cast<unsigned>(batch.count - first),
                              MSG_DONTWAIT | MSG_NOSIGNAL);
    // An answer that cannot be sent is one that got lost: the tablet asks again.
    first += sent > 0 ? static_cast<std::size_t>(sent) : 1;
  }
  batch.count = 0;
}

}  // namespace schultor::dns
