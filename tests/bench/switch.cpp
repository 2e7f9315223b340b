// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// How long a mode switch takes from the request to commit to the kernel's acknowledgement, and how many netlink messages. Beside it
// the floor, a transaction of as many elements that mean nothing; and two peers, `nft -f` of the equivalent ruleset in one
// transaction and a reload that flushes first, as firewalld does it. All work in one network namespace of this process's own, in
// alternating rounds; after each, the kernel is held to be where the switch should have brought it.
#include "netfilter/planner/switch.hpp"
#include "netfilter/kernel/connection.hpp"
#include "netfilter/planner/build.hpp"
#include "netfilter/planner/reconcile.hpp"
#include "tests/bench/lib/measuring.hpp"
#include "tests/bench/lib/process.hpp"
#include "tests/bench/switch/peers.hpp"
#include "tests/kernel/netfilter_examples.hpp"
#include "tests/kernel/network_namespace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

using namespace schultor;
using namespace schultor::bench;
using namespace schultor::netfilter;
using namespace schultor::netfilter::planner;

namespace {

/// What the switch may cost at most, in times the empty transaction.
constexpr double most_over_floor = 2;

/// All groups in the other profile, with their next generations.
Intent switched(Intent intent) {
  const bool to_leisure = intent.groups.front().profile == "school";
  for (Group& group : intent.groups) {
    group.profile = to_leisure ? "leisure" : "school";
    group.view = to_leisure ? 2U : 1U;
    group.generation = next(group.generation);
  }
  return intent;
}

std::vector<GroupSwitch> between(const Intent& before, const Intent& after) {
  std::vector<GroupSwitch> switches;
  for (std::size_t i = 0; i < before.groups.size(); ++i) switches.push_back({before.groups[i], after.groups[i]});
  return switches;
}

/// How many elements the sets of pins hold.
std::size_t pins_in(const model::Found& found) {
  std::size_t count = 0;
  for (const auto& set : found.sets)
    if (set.declaration.timeout) count += set.elements.size();
  return count;
}

struct School {
  std::size_t groups = 0, tablets = 0, pins = 0;
};

struct Row {
  std::size_t messages = 0;
  double switch_us = 0, floor_us = 0, over_floor = 0, cpu_over_floor = 0, nft_us = 0, reload_us = 0;
};

/// By the clock, and what it cost of CPU time: the kernel does its part of a transaction in the caller's own thread.
struct Cost {
  double us = 0, cpu_us = 0;
};

template <typename Work>
Cost cost_of(Work work) {
  Cost cost;
  const double before = thread_cpu_us();
  cost.us = timed<std::micro>(work);
  cost.cpu_us = thread_cpu_us() - before;
  return cost;
}

class Bench {
public:
  explicit Bench(const School& school)
      : intent_(test::large_school(school.groups, school.tablets)),
        pins_(test::many_pins(school.pins)),
        connection_(must(kernel::Connection::open())),
        floor_(school.groups) {
    intent_.groups.resize(school.groups);
    must(connection_.commit(reconcile(wanted(intent_), must(connection_.read(table_name)))));
    elements_ = pins_in(must(connection_.read(table_name)));
  }

  Row measure(std::size_t rounds) {
    std::vector<double> ours_us, floor_us, ratio, cpu_ratio, nft, reload;
    for (std::size_t round = 0; round < rounds; ++round) {
      // Whoever comes first after a large transaction waits until the kernel has cleared up what that took away.
      floor_.commit();
      Cost floor;
      const auto measure_floor = [&] { floor = cost_of([&] { floor_.commit(); }); };
      if (round % 2 == 0) measure_floor();
      const Cost ours = switch_once();
      if (round % 2 == 1) measure_floor();
      ours_us.push_back(ours.us);
      floor_us.push_back(floor.us);
      ratio.push_back(ours.us / floor.us);
      cpu_ratio.push_back(ours.cpu_us / floor.cpu_us);
      nft.push_back(by<ReloadByNft>("nft -f"));
      reload.push_back(by<FlushAndReload>("a flush and a reload"));
    }
    return {messages_,
            median(std::move(ours_us)),
            median(std::move(floor_us)),
            median(std::move(ratio)),
            median(std::move(cpu_ratio)),
            median(std::move(nft)),
            median(std::move(reload))};
  }

private:
  [[nodiscard]] model::Ruleset wanted(const Intent& intent) const {
    auto ruleset = build(intent);
    begin_with(ruleset, pins_);
    return ruleset;
  }

  void take(Intent after, std::string_view who) {
    const auto found = must(connection_.read(table_name));
    if (const auto difference = reconcile(build(after), found); !difference.empty())
      give_up(fmt::format("after {} the kernel is not where it should be:\n{}", who, to_string(difference)));
    if (pins_in(found) != elements_) give_up(fmt::format("after {} pins are missing", who));
    intent_ = std::move(after);
  }

  Cost switch_once() {
    Intent after = switched(intent_);
    const auto switches = between(intent_, after);
    kernel::Committed committed;
    const auto cost = cost_of([&] { committed = must(connection_.commit(switch_groups(switches))); });
    if (messages_ == 0) messages_ = committed.messages;
    if (committed.messages != messages_) give_up("the number of messages differs from round to round");
    take(std::move(after), "the switch");
    return cost;
  }

  template <typename Peer>
  double by(std::string_view name) {
    Intent after = switched(intent_);
    const Peer peer(wanted(after));
    const auto took = timed<std::micro>([&] { peer.run(); });
    take(std::move(after), name);
    return took;
  }

  Intent intent_;
  std::vector<Pin> pins_;
  kernel::Connection connection_;
  EmptyTransaction floor_;
  std::size_t messages_ = 0, elements_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
  const std::size_t rounds = arguments_of(count, arguments, 15).rounds;
  fmt::print(
      "A mode switch: request to commit → the kernel's acknowledgement. Beside it a transaction of as many elements that mean\n"
      "nothing (the floor), nft -f of the equivalent ruleset, and a flush and reload of all rules as firewalld does it.\n"
      "Medians of {} alternating rounds in one network namespace; after each, the kernel was read and compared.\n\n"
      "{:>7} {:>8} {:>8} {:>9} {:>11} {:>10} {:>7} {:>7} {:>12} {:>8} {:>12} {:>8}\n",
      rounds, "groups", "tablets", "pins", "messages", "switch, µs", "floor, µs", "ratio", "of CPU", "nft -f, ms", "ratio",
      "reload, ms", "ratio");
  const bool quick = rounds == 1;
  const std::size_t many_pins = quick ? 10'000 : 100'000;
  std::size_t messages = 0;
  double worst = 0, worst_cpu = 0;
  for (const School& school : {School{1, 5'000, 0}, School{30, 5'000, 0}, School{100, 50, 0}, School{100, 500, 0},
                               School{100, 10'000, 0}, School{100, 50, many_pins}, School{100, 10'000, many_pins}}) {
    test::enter_network_namespace();
    const Row row = Bench(school).measure(rounds);
    fmt::print("{:>7} {:>8} {:>8} {:>9} {:>10.0f} {:>9.0f} {:>6.2f}× {:>6.2f}× {:>11.1f} {:>7.0f}× {:>11.1f} {:>7.0f}×\n",
               school.groups, school.tablets, school.pins, row.messages, row.switch_us, row.floor_us, row.over_floor,
               row.cpu_over_floor, row.nft_us / 1000, row.nft_us / row.switch_us, row.reload_us / 1000,
               row.reload_us / row.switch_us);
    std::fflush(stdout);
    if (messages == 0) messages = row.messages;
    if (row.messages != messages) give_up("the number of messages depends on groups, tablets or pins");
    if (school.groups != 100) continue;
    worst = std::max(worst, row.over_floor);
    worst_cpu = std::max(worst_cpu, row.cpu_over_floor);
  }
  fmt::print("\n{} messages whatever the groups, tablets and pins: holds\n", messages);
  if (quick) return 0;
  for (const auto& [how, most] : {std::pair{"by the clock", worst}, std::pair{"of CPU time", worst_cpu}})
    fmt::print("100 groups within {:.0f}× the empty transaction {}: {} (worst {:.2f}×)\n", most_over_floor, how,
               most <= most_over_floor ? "holds" : "does not hold", most);
  return 0;
}
