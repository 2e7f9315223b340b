// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/gate/load.hpp"

#include "daemon/base/unique_fd.hpp"
#include "tests/bench/lib/measuring.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

namespace schultor::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

constexpr std::size_t batch = 32;
constexpr std::size_t longest = 512;
constexpr std::size_t sockets = 4;
constexpr std::uint32_t before_first_source = 0x7f010000;  // 127.1.0.0

std::size_t write_question(std::uint16_t id, const std::string& name, std::array<std::uint8_t, longest>& out) {
  const std::uint8_t head[] = {
      static_cast<std::uint8_t>(id >> 8), static_cast<std::uint8_t>(id & 0xff), 1, 0, 0, 1, 0, 0, 0, 0, 0, 1};
  auto* to = std::copy(std::begin(head), std::end(head), out.data());
  for (std::size_t at = 0; at < name.size();) {
    const auto end = std::min(name.find('.', at), name.size());
    *to++ = static_cast<std::uint8_t>(end - at);
    to = std::copy(name.data() + at, name.data() + end, to);
    at = end + 1;
  }
  const std::uint8_t tail[] = {0, 0, 1, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0};
  to = std::copy(std::begin(tail), std::end(tail), to);
  return static_cast<std::size_t>(to - out.data());
}

/// One client socket with its ids, of which those under way have an instant.
struct Client {
  base::UniqueFd fd;
  std::vector<Time> sent = std::vector<Time>(65536);
  std::uint16_t next = 0;
  std::size_t under_way = 0;
};

class Generator {
public:
  explicit Generator(const Load& load) : load_(load), clients_(sockets) {
    for (auto& client : clients_) open(client);
    latencies_.reserve(std::min(load.questions, std::size_t{1} << 20U));
  }

  Measured run() {
    const auto start = Clock::now();
    auto last_answer = start;
    while (measured_.sent < load_.questions || under_way() > 0) {
      if (load_.stop != nullptr && *load_.stop) break;
      const auto now = Clock::now();
      if (measured_.sent < load_.questions) send_due(start, now);
      else if (now - last_answer > load_.patience) break;
      if (wait(start)) last_answer = Clock::now();
    }
    measured_.seconds = std::chrono::duration<double>(last_answer - start).count();
    std::sort(latencies_.begin(), latencies_.end());
    const auto at = [&](std::size_t percent) {
      return latencies_.empty() ? 0.0 : latencies_[(latencies_.size() - 1) * percent / 100];
    };
    measured_.p50_us = at(50);
    measured_.p99_us = at(99);
    return measured_;
  }

private:
  void open(Client& client) {
    client.fd = base::UniqueFd(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int space = 4 << 20;
    const auto mark = load_.mark;
    to_.sin_family = AF_INET;
    to_.sin_port = htons(load_.port);
    to_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    if (!client.fd || setsockopt(client.fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof space) != 0 ||
        setsockopt(client.fd.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0 ||
        bind(client.fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0)
      give_up("a socket for the load");
  }

  [[nodiscard]] std::size_t under_way() const {
    std::size_t sum = 0;
    for (const auto& client : clients_) sum += client.under_way;
    return sum;
  }

  void send_due(Time start, Time now) {
    if (load_.rate > 0) {
      const auto due = static_cast<std::size_t>(std::chrono::duration<double>(now - start).count() * load_.rate) + 1;
      while (measured_.sent < std::min(due, load_.questions)) send(clients_[measured_.sent % sockets], 1);
      return;
    }
    for (auto& client : clients_) {
      const auto share = load_.window / sockets;
      if (client.under_way <= share / 2) send(client, share - client.under_way);
    }
  }

  void send(Client& client, std::size_t wanted) {
    while (wanted > 0 && measured_.sent < load_.questions) {
      const auto count = std::min({wanted, batch, load_.questions - measured_.sent});
      const auto now = Clock::now();
      for (std::size_t i = 0; i < count; ++i) {
        const auto id = client.next++;
        if (client.sent[id] == Time{}) ++client.under_way;
        client.sent[id] = now;
        parts_[i] = {packets_[i].data(), write_question(id, load_.name(measured_.sent + i), packets_[i])};
        headers_[i] = {};
        auto& header = headers_[i].msg_hdr;
        header.msg_name = &to_;
        header.msg_namelen = sizeof to_;
        header.msg_iov = &parts_[i];
        header.msg_iovlen = 1;
        set_source(header, controls_[i], load_.first_source + static_cast<std::uint32_t>((measured_.sent + i) % load_.sources));
      }
      for (std::size_t done = 0; done < count;) {
        const int sent = sendmmsg(client.fd.get(), headers_.data() + done, static_cast<unsigned>(count - done), 0);
        if (sent > 0) done += static_cast<std::size_t>(sent);
        else if (errno != EAGAIN && errno != ECONNREFUSED) give_up("sending questions");
      }
      measured_.sent += count;
      wanted -= count;
    }
  }

  struct alignas(cmsghdr) Control {
    std::array<char, CMSG_SPACE(sizeof(in_pktinfo))> octets;
  };
  static void set_source(msghdr& header, Control& control, std::uint32_t source) {
    in_pktinfo info{};
    info.ipi_spec_dst.s_addr = htonl(before_first_source + source + 1);
    header.msg_control = control.octets.data();
    header.msg_controllen = control.octets.size();
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = IPPROTO_IP;
    part->cmsg_type = IP_PKTINFO;
    part->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(part), &info, sizeof info);
  }

  /// Waits until something comes or is due. Whether something came.
  bool wait(Time start) {
    std::array<pollfd, sockets> polled{};
    for (std::size_t i = 0; i < sockets; ++i) polled[i] = {clients_[i].fd.get(), POLLIN, 0};
    timespec limit{0, std::min<long>(100'000'000, std::chrono::nanoseconds(load_.patience).count())};
    if (load_.rate > 0 && measured_.sent < load_.questions) {
      const auto next = start + std::chrono::duration_cast<Clock::duration>(
                                    std::chrono::duration<double>(static_cast<double>(measured_.sent) / load_.rate));
      const auto left = std::clamp<std::int64_t>(std::chrono::nanoseconds(next - Clock::now()).count(), 0, limit.tv_nsec);
      limit.tv_nsec = left;
    }
    bool came = false;
    if (ppoll(polled.data(), sockets, &limit, nullptr) > 0)
      for (std::size_t i = 0; i < sockets; ++i)
        if (polled[i].revents != 0) came = receive(clients_[i]) || came;
    return came;
  }

  bool receive(Client& client) {
    bool came = false;
    while (true) {
      for (std::size_t i = 0; i < batch; ++i) {
        parts_[i] = {packets_[i].data(), packets_[i].size()};
        headers_[i] = {};
        headers_[i].msg_hdr.msg_iov = &parts_[i];
        headers_[i].msg_hdr.msg_iovlen = 1;
      }
      const int count = recvmmsg(client.fd.get(), headers_.data(), batch, MSG_DONTWAIT, nullptr);
      if (count <= 0) return came;
      came = true;
      const auto now = Clock::now();
      for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) note(client, packets_[i], headers_[i].msg_len, now);
      if (static_cast<std::size_t>(count) < batch) return came;
    }
  }

  void note(Client& client, const std::array<std::uint8_t, longest>& packet, std::size_t size, Time now) {
    if (size < 12) return;
    auto& sent = client.sent[static_cast<std::size_t>(packet[0]) << 8 | packet[1]];
    if (sent == Time{}) return;
    latencies_.push_back(std::chrono::duration<double, std::micro>(now - sent).count());
    sent = Time{};
    --client.under_way;
    ++measured_.answered;
    const int rcode = packet[3] & 0x0f;
    if (rcode == 3) ++measured_.refused;
    else if (rcode != 0) ++measured_.failed;
    else if (packet[6] != 0 || packet[7] != 0) ++measured_.with_answers;
  }

  const Load& load_;
  sockaddr_in to_{};
  std::vector<Client> clients_;
  Measured measured_;
  std::vector<double> latencies_;
  std::array<std::array<std::uint8_t, longest>, batch> packets_{};
  std::array<Control, batch> controls_{};
  std::array<iovec, batch> parts_{};
  std::array<mmsghdr, batch> headers_{};
};

}  // namespace

Measured run(const Load& load) { return Generator(load).run(); }

void await_dns(std::uint16_t port, std::uint32_t mark, const std::string& name, const std::string& log, bool refused) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(10);
  while (std::chrono::steady_clock::now() < deadline) {
    const auto one = run({.port = port,
                          .mark = mark,
                          .window = 4,
                          .rate = 0,
                          .questions = 1,
                          .name = [&](std::size_t) { return name; },
                          .patience = std::chrono::milliseconds(5)});
    if (one.answered == 1 && (refused ? one.refused == 1 : one.refused + one.failed == 0)) return;
  }
  std::ifstream said(log);
  std::stringstream text;
  text << said.rdbuf();
  give_up(fmt::format("port {} does not answer; its log:\n{}", port, text.str()));
}

}  // namespace schultor::bench
