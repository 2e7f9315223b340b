// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/forward/packets.hpp"

#include "tests/bench/lib/measuring.hpp"
#include "tests/bench/lib/process.hpp"
#include "tests/kernel/network_namespace.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ratio>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace schultor::bench {
namespace {

constexpr std::size_t flows = 4096, batch = 64;
constexpr unsigned core = 0;
constexpr std::uint16_t server_port = 5004;
// Of the gateway's interfaces, see ThreeHosts; whoever sends the answers has any.
constexpr base::Mac lan0{{2, 0x77, 0, 0, 0xff, 1}}, wan0{{2, 0x77, 0, 0, 0xff, 2}}, provider{{2, 0x77, 0, 0, 0xff, 3}};

void put16(Frame& frame, std::size_t at, std::uint16_t value) {
  frame.at(at) = static_cast<std::uint8_t>(value >> 8);
  frame.at(at + 1) = static_cast<std::uint8_t>(value);
}

void put_address(Frame& frame, std::size_t at, const base::Address& address) {
  in_addr octets{};
  inet_pton(AF_INET, base::to_string(address).c_str(), &octets);
  std::copy_n(reinterpret_cast<const std::uint8_t*>(&octets), sizeof octets, frame.data() + at);
}

/// Of the IPv4 header (RFC 791).
std::uint16_t checksum_of(const Frame& frame) {
  std::uint32_t sum = 0;
  for (std::size_t i = ETH_HLEN; i < ETH_HLEN + 20; i += 2) sum += static_cast<std::uint32_t>(frame.at(i) << 8 | frame.at(i + 1));
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

End device_end(std::size_t flow) {
  const std::size_t device = flow * 7919 % devices;
  return {mac_of_device(device), address_of_device(device), static_cast<std::uint16_t>(20'000 + flow)};
}

End server_end(std::size_t flow) { return {provider, address_of_school_pin(flow * 24'989 % school_pins), server_port}; }

/// Addressed to the gateway, whose interface stands for whoever is behind it.
Frame through(const End& from, End to, const base::Mac& gateway) {
  to.mac = gateway;
  return frame_of(from, to);
}

}  // namespace

Frame frame_of(const End& from, const End& to) {
  Frame frame{};
  std::copy(to.mac.octets.begin(), to.mac.octets.end(), frame.begin());
  std::copy(from.mac.octets.begin(), from.mac.octets.end(), frame.begin() + ETH_ALEN);
  put16(frame, 12, ETH_P_IP);
  frame[ETH_HLEN] = 0x45;
  put16(frame, ETH_HLEN + 2, sizeof frame - ETH_HLEN);
  frame[ETH_HLEN + 8] = 64;
  frame[ETH_HLEN + 9] = IPPROTO_UDP;
  put_address(frame, ETH_HLEN + 12, from.address);
  put_address(frame, ETH_HLEN + 16, to.address);
  put16(frame, ETH_HLEN + 10, checksum_of(frame));
  constexpr std::size_t udp = ETH_HLEN + 20;
  put16(frame, udp, from.port);
  put16(frame, udp + 2, to.port);
  put16(frame, udp + 4, sizeof frame - udp);
  return frame;
}

Wire::Wire(const Host& host, std::string interface) : host_(host), interface_(std::move(interface)) {
  const test::TemporaryFile sink(fmt::format(R"(table netdev sink {{
  counter datagrams {{ }}
  chain in {{
    type filter hook ingress device {} priority 0;
    ip protocol udp counter name datagrams drop
  }}
}}
)",
                                             interface_));
  host_.run("nft -f " + sink.path());
  const Host::Inside inside(host_);
  socket_ = base::UniqueFd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(if_nametoindex(interface_.c_str()));
  const int on = 1;
  if (!socket_ || bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      setsockopt(socket_.get(), SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) != 0)
    give_up("a socket for frames");
}

void Wire::send(const std::vector<Frame>& frames, std::size_t count) {
  std::array<iovec, batch> parts{};
  std::array<mmsghdr, batch> headers{};
  for (std::size_t done = 0; done < count;) {
    const auto now = std::min(batch, count - done);
    for (std::size_t i = 0; i < now; ++i) {
      parts[i] = {const_cast<std::uint8_t*>(frames[(done + i) % frames.size()].data()), sizeof(Frame)};
      headers[i] = {};
      headers[i].msg_hdr.msg_iov = &parts[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
    const int sent = sendmmsg(socket_.get(), headers.data(), static_cast<unsigned>(now), 0);
    if (sent > 0) done += static_cast<std::size_t>(sent);
    else if (errno != ENOBUFS && errno != EAGAIN)
      give_up(fmt::format("sending frames: {}", std::generic_category().message(errno)));
  }
}

std::size_t Wire::arrived() const {
  const auto listed = host_.run("nft list counter netdev sink datagrams");
  constexpr std::string_view before = "packets ";
  const auto at = listed.find(before);
  if (at == std::string::npos) give_up("the counter of what arrived: " + listed);
  return std::stoull(listed.substr(at + before.size()));
}

Traffic::Traffic(const Gateway& gateway)
    : gateway_(gateway), school_(gateway.hosts.school, "eth0"), internet_(gateway.hosts.internet, "wan") {
  for (std::size_t i = 0; i < flows; ++i) {
    up_.push_back(through(device_end(i), server_end(i), lan0));
    auto device = device_end(i);
    // Masquerading leaves the port as it is where nobody else has it.
    if (gateway.masquerades) device.address = must(base::parse_address(gateway_wan4));
    down_.push_back(through(server_end(i), device, wan0));
  }
}

void Traffic::warm_up() {
  use_core(core);
  school_.send(up_, flows);
  internet_.send(down_, flows);
}

Packets Traffic::measure(bool from_school, std::size_t count) {
  use_core(core);
  auto& from = from_school ? school_ : internet_;
  const auto& to = from_school ? internet_ : school_;
  const auto before = to.arrived();
  const double cpu_before = thread_cpu_us() + softirq_cpu_us(core);
  const double seconds = timed<std::ratio<1>>([&] { from.send(from_school ? up_ : down_, count); });
  const double cpu = thread_cpu_us() + softirq_cpu_us(core) - cpu_before;
  const auto arrived = std::max<std::size_t>(to.arrived() - before, 1);
  return {static_cast<double>(arrived) / seconds, cpu / static_cast<double>(arrived), count - std::min(count, arrived)};
}

std::size_t Traffic::arriving(bool from_school, std::size_t least) {
  auto& from = from_school ? school_ : internet_;
  const auto& to = from_school ? internet_ : school_;
  const auto before = to.arrived();
  End elsewhere = server_end(0);
  elsewhere.address = must(base::parse_address("198.19.255.255"));
  if (from_school) from.send({through(device_end(0), elsewhere, lan0)}, 1);
  from.send(from_school ? up_ : down_, flows);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (to.arrived() - before < least && std::chrono::steady_clock::now() < deadline) {
  }
  return to.arrived() - before;
}

void Traffic::check() {
  use_core(core);
  warm_up();
  // What is sent first on one core arrives first: with the last packet of the known flows nothing else is under way.
  for (const bool from_school : {true, false}) {
    const std::size_t expected = flows + (from_school && !gateway_.filters ? 1 : 0);
    if (const auto arrived = arriving(from_school, expected); arrived != expected)
      give_up(fmt::format("{}: {} datagrams should arrive {} the tablets, and {} do", gateway_.name, expected,
                          from_school ? "from" : "at", arrived));
  }
}

}  // namespace schultor::bench
