// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/gate/floor.hpp"

#include "tests/bench/lib/measuring.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace schultor::bench {
namespace {

constexpr std::size_t batch = 32;
constexpr std::size_t longest = 1280;
using Packet = std::array<std::uint8_t, longest>;

/// Receives and answers in batches; `rewrite` turns a question of a length into its answer's length, 0 for none.
template <typename Rewrite>
[[noreturn]] void serve(std::uint16_t port, Rewrite rewrite) {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  const int space = 4 << 20;
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_port = htons(port);
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof space) != 0 ||
      bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0)
    give_up("binding a port of the benchmark");
  static std::array<Packet, batch> packets;
  std::array<sockaddr_in, batch> peers{};
  std::array<iovec, batch> parts{};
  std::array<mmsghdr, batch> headers{};
  while (true) {
    for (std::size_t i = 0; i < batch; ++i) {
      parts[i] = {packets[i].data(), packets[i].size()};
      headers[i] = {};
      headers[i].msg_hdr = {&peers[i], sizeof peers[i], &parts[i], 1, nullptr, 0, 0};
    }
    const int count = recvmmsg(fd, headers.data(), batch, MSG_WAITFORONE, nullptr);
    unsigned ready = 0;
    for (int i = 0; i < count; ++i) {
      const auto from = static_cast<std::size_t>(i);
      const auto size = rewrite(packets[from], headers[from].msg_len);
      if (size == 0) continue;
      headers[ready].msg_hdr.msg_name = &peers[from];
      parts[ready++] = {packets[from].data(), size};
    }
    for (unsigned done = 0; done < ready;) {
      const int sent = sendmmsg(fd, headers.data() + done, ready - done, 0);
      done += sent > 0 ? static_cast<unsigned>(sent) : 1;
    }
  }
}

std::size_t question_end(const Packet& packet, std::size_t size) {
  std::size_t at = 12;
  while (at < size && packet[at] != 0) at += packet[at] + 1U;
  return at + 5;
}

}  // namespace

void echo(std::uint16_t port) {
  serve(port, [](Packet& packet, std::size_t size) {
    packet[2] |= 0x80;
    return size;
  });
}

void answer_all(std::uint16_t port) {
  serve(port, [](Packet& packet, std::size_t size) -> std::size_t {
    const auto end = question_end(packet, size);
    if (size < 17 || end > size || end + 16 > longest) return 0;
    std::uint32_t hash = 2166136261;
    for (std::size_t i = 12; i < end; ++i) hash = (hash ^ packet[i]) * 16777619U;
    packet[2] |= 0x80;
    packet[3] = 0x80;
    packet[6] = 0, packet[7] = 1;
    packet[10] = packet[11] = 0;
    const std::array<std::uint8_t, 16> record{0xc0,
                                              12,
                                              0,
                                              1,
                                              0,
                                              1,
                                              0,
                                              0,
                                              1,
                                              44,
                                              0,
                                              4,
                                              11,
                                              static_cast<std::uint8_t>(hash >> 16),
                                              static_cast<std::uint8_t>(hash >> 8),
                                              static_cast<std::uint8_t>(hash)};
    std::copy(record.begin(), record.end(), packet.begin() + static_cast<std::ptrdiff_t>(end));
    return end + record.size();
  });
}

}  // namespace schultor::bench
