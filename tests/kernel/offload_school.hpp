// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/unique_fd.hpp"
#include "tests/kernel/netfilter_helpers.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

/// A tablet, a gateway and two servers, in three network namespaces of one process: this one stays in the gateway's.
namespace schultor::test {

class OffloadSchool {
public:
  /// Both ends of a conversation. Closed with it.
  struct Talk {
    base::UniqueFd tablet{}, server{};
    sockaddr_in peer{};  ///< of datagrams: who the server answers
  };
  const std::string cloud = "198.51.100.10", listed = "198.51.100.20";
  static constexpr std::uint16_t port = 443;

  OffloadSchool() : tablet_(fresh_namespace()), server_(fresh_namespace()), gateway_(fresh_namespace()) {
    link("lan0", "tablet0", tablet_);
    link("wan0", "server0", server_);
    run("ip address add 10.77.0.1/16 dev lan0 && ip address add 203.0.113.1/24 dev wan0");
    run("ip link set lan0 up && ip link set wan0 up && ip route add 198.51.100.0/24 via 203.0.113.2");
    std::ofstream("/proc/sys/net/ipv4/ip_forward") << "1";
    // Counted before the rules judge, in the same hook.
    run("nft add table inet seen && nft 'add chain inet seen forwarded { type filter hook forward priority -300; }'");
    run("nft add rule inet seen forwarded ip protocol { tcp, udp } counter");
    within(tablet_, [] {
      run("ip link set tablet0 address 02:77:00:00:00:01 up && ip address add 10.77.0.2/16 dev tablet0");
      run("ip route add default via 10.77.0.1");
    });
    within(server_, [this] {
      run("ip link set lo up && ip address add 203.0.113.2/24 dev server0 && ip link set server0 up");
      run("ip address add " + cloud + "/32 dev lo && ip address add " + listed + "/32 dev lo");
    });
  }

  /// The tablet's group is in a listed profile.
  [[nodiscard]] netfilter::planner::Intent intent() const {
    netfilter::planner::Intent intent;
    intent.lan_interfaces = {"lan0"};
    intent.devices = {{mac("02:77:00:00:00:01"), 1}};
    intent.links = {{"lan0", 1}};
    intent.profiles = {{"school", true, 1}};
    intent.groups = {{1, "school", 1, 1}};
    intent.masqueraded = {"wan0"};
    intent.offloaded = {"lan0", "wan0"};
    return intent;
  }
  [[nodiscard]] std::vector<netfilter::planner::Pin> pins() const {
    constexpr std::chrono::hours lifetime{1};
    return {{address(cloud), "", lifetime, usual_ports}, {address(listed), "school", lifetime, {}}};
  }

  Talk connect(const std::string& to, std::uint16_t at) {
    const auto listener = server_socket(SOCK_STREAM, to, at);
    REQUIRE(listen(listener.get(), 1) == 0);
    Talk talk{tablet_socket(SOCK_STREAM, to, at), {}};
    talk.server = base::UniqueFd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(talk.server);
    return talk;
  }
  Talk datagrams(const std::string& to, std::uint16_t at) {
    return {tablet_socket(SOCK_DGRAM, to, at), server_socket(SOCK_DGRAM, to, at)};
  }
  /// So many octets there, each answered by one.
  void talk(Talk& both, int times) const {
    for (int i = 0; i < times; ++i) {
      send_unanswered(both, 1);
      const auto* peer = both.peer.sin_family == 0 ? nullptr : reinterpret_cast<const sockaddr*>(&both.peer);
      REQUIRE(sendto(both.server.get(), "x", 1, 0, peer, peer == nullptr ? 0 : sizeof both.peer) == 1);
      receive(both.tablet, nullptr);
    }
  }
  void send_unanswered(Talk& both, int times) const {
    for (int i = 0; i < times; ++i) {
      REQUIRE(send(both.tablet.get(), "x", 1, MSG_NOSIGNAL) == 1);
      receive(both.server, &both.peer);
    }
  }

  /// Whether a connection to this address is marked so by conntrack.
  [[nodiscard]] bool is_offloaded(const std::string& to) const {
    std::ifstream connections("/proc/thread-self/net/nf_conntrack");
    REQUIRE(connections);
    for (std::string line; std::getline(connections, line);)
      if (line.find("dst=" + to + " ") != std::string::npos && line.find("[OFFLOAD]") != std::string::npos) return true;
    return false;
  }
  /// Packets so far.
  [[nodiscard]] std::int64_t forwarded_by_rules() const {
    const auto listing = nlohmann::json::parse(run("nft -j list chain inet seen forwarded"));
    for (const auto& item : listing.at("nftables"))
      if (item.contains("rule"))
        for (const auto& expression : item.at("rule").at("expr"))
          if (expression.contains("counter")) return expression.at("counter").at("packets").get<std::int64_t>();
    FAIL("the chain has no counter");
    return 0;
  }
  void pull_cable() const {
    within(server_, [] { run("ip link set server0 down && ip link set server0 up"); });
  }
  void wait_until(const std::function<bool()>& holds) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience);
    while (!holds()) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      poll(nullptr, 0, 20);
    }
  }

private:
  static constexpr int patience = 60'000;  // milliseconds

  static base::UniqueFd here() { return base::UniqueFd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)); }
  static base::UniqueFd fresh_namespace() {
    enter_network_namespace();
    return here();
  }
  template <typename Do>
  void within(const base::UniqueFd& where, Do run_there) const {
    REQUIRE(setns(where.get(), CLONE_NEWNET) == 0);
    run_there();
    REQUIRE(setns(gateway_.get(), CLONE_NEWNET) == 0);
  }
  static void link(const std::string& here, const std::string& there, const base::UniqueFd& where) {
    run("ip link add " + here + " type veth peer name " + there);
    run("ip link set " + there + " netns /proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(where.get()));
  }
  static sockaddr_in endpoint(const std::string& to, std::uint16_t at) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(at);
    REQUIRE(inet_pton(AF_INET, to.c_str(), &address.sin_addr) == 1);
    return address;
  }
  base::UniqueFd server_socket(int type, const std::string& own, std::uint16_t at) const {
    base::UniqueFd socket;
    within(server_, [&] { socket = base::UniqueFd(::socket(AF_INET, type | SOCK_CLOEXEC, 0)); });
    const auto address = endpoint(own, at);
    const int on = 1;
    REQUIRE(setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    REQUIRE(bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return socket;
  }
  base::UniqueFd tablet_socket(int type, const std::string& to, std::uint16_t at) const {
    base::UniqueFd socket;
    within(tablet_, [&] { socket = base::UniqueFd(::socket(AF_INET, type | SOCK_CLOEXEC, 0)); });
    const auto address = endpoint(to, at);
    REQUIRE(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return socket;
  }
  static void receive(const base::UniqueFd& socket, sockaddr_in* from) {
    pollfd ready{socket.get(), POLLIN, 0};
    REQUIRE(poll(&ready, 1, patience) == 1);
    char octet = 0;
    socklen_t size = sizeof *from;
    REQUIRE(recvfrom(socket.get(), &octet, 1, 0, reinterpret_cast<sockaddr*>(from), from == nullptr ? nullptr : &size) == 1);
  }

  base::UniqueFd tablet_, server_, gateway_;
};

}  // namespace schultor::test
