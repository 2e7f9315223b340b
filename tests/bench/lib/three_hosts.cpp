// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/lib/three_hosts.hpp"

#include "tests/bench/lib/measuring.hpp"
#include "tests/kernel/network_namespace.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <exception>

namespace schultor::bench {
namespace {

base::UniqueFd current_namespace() {
  base::UniqueFd fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd) give_up("the network namespace of this thread");
  return fd;
}

void enter(const base::UniqueFd& space) {
  if (setns(space.get(), CLONE_NEWNET) != 0) give_up("entering a network namespace");
}

}  // namespace

Host::Host() {
  const auto home = current_namespace();
  test::enter_network_namespace();
  namespace_ = current_namespace();
  // No duplicate address detection: an address is there at once.
  test::run("sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 && ip link set lo up");
  enter(home);
}

Host::Inside::Inside(const Host& host) : home_(current_namespace()) { enter(host.namespace_); }
Host::Inside::~Inside() { enter(home_); }

std::string Host::run(const std::string& command) const {
  const Inside inside(*this);
  try {
    return test::run(command);
  } catch (const std::exception& failure) {
    give_up(failure.what());
  }
}

void Host::ip(std::string_view lines) const {
  const test::TemporaryFile batch{std::string(lines)};
  run("ip -batch " + batch.path());
}

std::string Host::path() const { return fmt::format("/proc/{}/fd/{}", getpid(), namespace_.get()); }

ThreeHosts::ThreeHosts() {
  gateway.ip(
      fmt::format("link add lan0 address 02:77:00:00:ff:01 type veth peer name eth0 netns {}\n"
                  "link add wan0 address 02:77:00:00:ff:02 type veth peer name wan netns {}\n"
                  "link set lan0 up\nlink set wan0 up\n"
                  "addr add {}/16 dev lan0\naddr add {}/64 dev lan0 nodad\n"
                  "addr add {}/24 dev wan0\naddr add {}/64 dev wan0 nodad\n",
                  school.path(), internet.path(), gateway4, gateway6, gateway_wan4, gateway_wan6));
  school.ip("link set eth0 up\n");
  internet.ip(
      fmt::format("link set wan up\naddr add {}/24 dev wan\naddr add {}/64 dev wan nodad\n"
                  "route add 10.77.0.0/16 via 198.51.100.254\nroute add fd77::/64 via 2001:db8:51::fe\n",
                  internet4, internet6));
  gateway.ip(fmt::format("route add default via {}\nroute add default via {}\n", internet4, internet6));
  for (const auto* file : {"sysctl.conf", "forwarding.conf"})
    gateway.run(fmt::format("sysctl --quiet --load={}/units/{}", SCHULTOR_SOURCE_DIR, file));
}

}  // namespace schultor::bench
