// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// The table is what the kernel has, whatever happens to interfaces and neighbours, and whatever the kernel could not tell.
#include "netfilter/neighbours/follower.hpp"
#include "tests/catch.hpp"
#include "tests/kernel/network_namespace.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <map>
#include <sstream>

using namespace schultor;
using namespace schultor::netfilter::neighbours;
using namespace schultor::test;
using namespace std::chrono_literals;

namespace {

const bool isolated = (enter_network_namespace(), true);

template <typename T>
T must(base::Result<T>&& result) {
  if (!result) throw std::runtime_error(result.error().what());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

std::string mac(int number) { return fmt::format("02:77:00:00:{:02x}:{:02x}", number / 256, number % 256); }

using Devices = std::map<std::string, bool>;

/// lan0 and lan1, each with a cable's other end, and a follower of both.
class Lan {
public:
  explicit Lan(int receive_buffer = Follower::usual_buffer) : follower_(must(Follower::open(receive_buffer))) {
    add("lan0");
    must(follower_.follow({"lan0", "lan1"}, now_));
    run("ip link del lan0");
    add("lan0");
    // Until its first neighbour is there, it may be passed over.
    run("ip neigh add 10.77.0.99 dev lan0 lladdr " + mac(99) + " nud reachable");
    if (!come({{"lan0 " + mac(99), true}})) throw std::runtime_error("lan0 is not followed");
    run("ip neigh del 10.77.0.99 dev lan0");
    read();
  }
  ~Lan() {
    for (const auto* name : {"lan0", "lan1", "lan9"})
      static_cast<void>(std::system(fmt::format("ip link del {} 2>/dev/null", name).c_str()));
  }
  static void add(const std::string& name) {
    run(fmt::format("ip link add {0} type veth peer name {0}far && ip link set {0}far up && ip link set {0} up", name));
  }
  /// Until nothing is left to be read, and all is read that was missed.
  std::vector<Confirmation> read() {
    std::vector<Confirmation> all;
    for (;;) {
      const auto some = must(follower_.read(now_));
      all.insert(all.end(), some.begin(), some.end());
      pollfd waiting{follower_.fd(), POLLIN, 0};
      if (poll(&waiting, 1, 0) > 0) continue;
      if (!follower_.resync_due()) return all;
      now_ = std::max(now_, *follower_.resync_due());
    }
  }
  /// Waits for something to read; false when nothing has come until the deadline.
  bool wait_until(std::chrono::steady_clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waiting{follower_.fd(), POLLIN, 0};
    return left > 0ms && poll(&waiting, 1, static_cast<int>(left.count())) > 0;
  }
  /// The first that come within half a minute.
  std::vector<Confirmation> wait_for_confirmations() {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (wait_until(deadline))
      if (auto some = must(follower_.read(now_)); !some.empty()) return some;
    return {};
  }
  /// Whether these are there in the end: the kernel takes its time to find that a cable is plugged in.
  bool come(const std::map<std::string, bool>& expected) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (devices() != expected)
      if (!wait_until(deadline)) return false;
    return true;
  }
  std::map<std::string, bool> devices() {
    read();
    std::map<std::string, bool> found;
    follower_.table().for_each(now_, [&](const Device& one) { found[one.link + " " + to_string(one.mac)] = one.online; });
    return found;
  }
  /// What the kernel says by itself, by addresses.
  static std::map<std::string, std::string> of_kernel() {
    std::istringstream lines(run("ip -4 neigh show dev lan0; ip -6 neigh show dev lan0"));
    std::map<std::string, std::string> found;
    std::string line, address, word;
    while (std::getline(lines, line)) {
      std::istringstream words(line);
      words >> address;
      while (words >> word)
        if (word == "lladdr") words >> found[address];
    }
    return found;
  }
  std::map<std::string, std::string> of_table() {
    read();
    std::map<std::string, std::string> found;
    follower_.table().for_each(now_, [&](const Device& one) {
      for (const auto& address : one.addresses) found[to_string(address)] = to_string(one.mac);
    });
    return found;
  }
  void wait(std::chrono::seconds span) { now_ += span; }
  Follower& follower() { return follower_; }

private:
  Follower follower_;
  Instant now_{1h};
};

/// A namespace for the other end of a cable.
class FarAway {
public:
  FarAway() { run("ip netns add " + name_); }
  FarAway(const FarAway&) = delete;
  FarAway& operator=(const FarAway&) = delete;
  ~FarAway() { static_cast<void>(std::system(("ip netns del " + name_).c_str())); }
  const std::string& name() const { return name_; }

private:
  std::string name_ = fmt::format("schultor-neighbours-{}", getpid());
};

/// Runs these commands of ip as one process. (What is learned by others, extern_learn, does not count against the machine's
/// bounds.)
void batch(const std::string& commands) {
  const TemporaryFile file(commands);
  run("ip -batch " + file.path());
}

}  // namespace

TEST_CASE("neighbours of both families are followed from before and from now on") {
  Lan lan;
  CHECK(lan.devices().empty());
  run("ip neigh add 10.77.1.1 dev lan0 lladdr " + mac(1) + " nud reachable");
  run("ip neigh add fd77::1:1 dev lan0 lladdr " + mac(1) + " nud stale");
  run("ip neigh add fd77::1:2 dev lan0 lladdr " + mac(2) + " nud stale");
  run("ip neigh add 10.77.1.3 dev lan0 lladdr " + mac(3) + " nud permanent");
  const Devices both{{"lan0 " + mac(1), true}, {"lan0 " + mac(2), true}};
  CHECK(lan.devices() == both);
  const auto resyncs = lan.follower().resyncs();
  run("ip neigh del fd77::1:2 dev lan0");
  CHECK(lan.devices() == Devices{{"lan0 " + mac(1), true}});
  CHECK(lan.follower().resyncs() == resyncs);
  // Another follower finds them there.
  auto second = must(Follower::open());
  must(second.follow({"lan0"}, Instant{1h}));
  CHECK(second.table().entries() == 2);
}

TEST_CASE("a real answer is a confirmation, and silence is none") {
  Lan lan;
  const FarAway tablet;
  run("ip addr add 10.77.0.1/16 dev lan0 && ip link set lan0far address " + mac(7));
  run(fmt::format("ip link set lan0far netns {0} && ip -n {0} addr add 10.77.1.7/16 dev lan0far && ip -n {0} link set lan0far up",
                  tablet.name()));
  lan.read();
  run("bash -c 'for n in 7 8; do echo > /dev/udp/10.77.1.$n/9; done'");
  const Confirmation expected{base::parse_mac(mac(7)).value(), base::parse_address("10.77.1.7").value(), "lan0"};
  CHECK(lan.wait_for_confirmations() == std::vector{expected});
  CHECK(lan.devices() == Devices{{"lan0 " + mac(7), true}});
}

TEST_CASE("interfaces that come and go are followed by their names") {
  Lan lan;
  run("ip neigh add 10.77.1.1 dev lan0 lladdr " + mac(1) + " nud reachable");
  CHECK(lan.come(Devices{{"lan0 " + mac(1), true}}));
  // One that comes later, with neighbours that nobody has told of since.
  Lan::add("lan9");
  run("ip neigh add 10.77.1.2 dev lan9 lladdr " + mac(2) + " nud reachable");
  CHECK(lan.come(Devices{{"lan0 " + mac(1), true}}));
  run("ip link set lan9 down && ip link set lan9 name lan1 && ip link set lan1 up");
  run("ip neigh replace 10.77.1.2 dev lan1 lladdr " + mac(2) + " nud reachable");
  const Devices both{{"lan0 " + mac(1), true}, {"lan1 " + mac(2), true}};
  CHECK(lan.come(both));
  run("ip link set lan0 name lan8");
  CHECK(lan.come(Devices{{"lan1 " + mac(2), true}}));
  run("ip link set lan8 name lan0");
  CHECK(lan.come(both));
  run("ip link set lan0 down");
  CHECK(lan.come(Devices{{"lan1 " + mac(2), true}}));
  run("ip link set lan0 up && ip neigh replace 10.77.1.1 dev lan0 lladdr " + mac(1) + " nud reachable");
  CHECK(lan.come(both));
  run("ip link del lan1");
  CHECK(lan.come(Devices{{"lan0 " + mac(1), true}}));
}

TEST_CASE("a port that leaves a bridge is no interface that has gone") {
  Lan lan;
  run("ip neigh add 10.77.1.1 dev lan0 lladdr " + mac(1) + " nud reachable");
  run("ip link add br9 type bridge && ip link set lan0 master br9 && ip link set lan0 nomaster && ip link del br9");
  CHECK(lan.come(Devices{{"lan0 " + mac(1), true}}));
}

TEST_CASE("what the kernel could not tell is read anew: nothing is missing, and nothing is there twice") {
  const int tiny = 4096;
  Lan lan(tiny);
  const auto resyncs = lan.follower().resyncs();
  std::string added, removed;
  for (int i = 0; i < 3000; ++i) {
    added +=
        fmt::format("neigh add 10.77.{}.{} dev lan0 lladdr {} nud reachable extern_learn\n", i / 250, i % 250 + 1, mac(i % 1500));
    if (i % 3 == 0) removed += fmt::format("neigh del 10.77.{}.{} dev lan0\n", i / 250, i % 250 + 1);
  }
  batch(added);
  CHECK(lan.of_table() == Lan::of_kernel());
  CHECK(lan.of_table().size() == 3000);
  const auto after_adding = lan.follower().resyncs();
  CHECK(after_adding > resyncs);
  batch(removed);
  // Whom it was not told of that it failed to answer is remembered for a while without an address.
  CHECK(lan.of_table() == Lan::of_kernel());
  CHECK(lan.of_table().size() == 2000);
  CHECK(lan.follower().resyncs() > after_adding);
  lan.wait(Table::linger);
  lan.read();
  CHECK(lan.follower().table().size() == 1000);
  CHECK(lan.follower().table().entries() == 2000);
}

TEST_CASE("with room for what happens nothing is read anew") {
  Lan lan;
  const auto resyncs = lan.follower().resyncs();
  std::string added;
  for (int i = 0; i < 3000; ++i)
    added += fmt::format("neigh add 10.77.{}.{} dev lan0 lladdr {} nud reachable extern_learn\n", i / 250, i % 250 + 1, mac(i));
  batch(added);
  CHECK(must(lan.follower().read(Instant{2h})).size() == Follower::most_notifications);
  CHECK(lan.of_table().size() == 3000);
  CHECK(lan.follower().resyncs() == resyncs);
}
