// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// How long a mode switch takes from the request to commit to the kernel's acknowledgement, and how many netlink messages, next
// to `nft -f` reloading the equivalent rules. Both work on the same table in a network namespace of this process's own, in
// alternating rounds; after each, the kernel is held to be where the switch should have brought it.
#include "netfilter/planner/switch.hpp"
#include "netfilter/kernel/connection.hpp"
#include "netfilter/planner/build.hpp"
#include "netfilter/planner/reconcile.hpp"
#include "tests/bench/lib/measuring.hpp"
#include "tests/kernel/netfilter_examples.hpp"
#include "tests/kernel/network_namespace.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <string_view>
#include <vector>

using namespace schultor;
using namespace schultor::bench;
using namespace schultor::netfilter;
using namespace schultor::netfilter::planner;

namespace {

/// All groups in the other profile, with their next generations.
Intent switched(Intent intent) {
  const bool to_leisure = intent.groups.front().profile == "school";
  for (Group& group : intent.groups)
    group = {group.number, to_leisure ? "leisure" : "school", to_leisure ? 2U : 1U, next(group.generation)};
  return intent;
}

std::vector<GroupSwitch> between(const Intent& before, const Intent& after) {
  std::vector<GroupSwitch> switches;
  for (std::size_t i = 0; i < before.groups.size(); ++i) switches.push_back({before.groups[i], after.groups[i]});
  return switches;
}

void check(kernel::Connection& connection, const Intent& intent, std::string_view who) {
  const auto difference = reconcile(build(intent), must(connection.read(table_name)));
  if (!difference.empty()) give_up(fmt::format("after {} the kernel is not where it should be:\n{}", who, to_string(difference)));
}

/// What a script would do: the whole ruleset again in one transaction.
void reload_by_nft(const test::TemporaryFile& file) {
  std::string program = "nft", flag = "-f", path = file.path();
  char* arguments[] = {program.data(), flag.data(), path.data(), nullptr};
  pid_t child = 0;
  int status = 0;
  if (posix_spawnp(&child, "nft", nullptr, nullptr, arguments, environ) != 0 || waitpid(child, &status, 0) != child || status != 0)
    give_up("nft -f failed");
}

struct Row {
  std::size_t messages = 0;
  double switch_us = 0, nft_us = 0;
};

Row measure(std::size_t groups, std::size_t tablets, std::size_t rounds) {
  test::enter_network_namespace();
  auto connection = must(kernel::Connection::open());
  Intent intent = test::large_school(groups, tablets);
  intent.groups.resize(groups);
  must(connection.commit(reconcile(build(intent), must(connection.read(table_name)))));

  std::vector<double> ours, theirs;
  Row row;
  for (std::size_t round = 0; round < rounds; ++round) {
    Intent after = switched(intent);
    kernel::Committed committed;
    const auto switches = between(intent, after);
    ours.push_back(timed<std::micro>([&] { committed = must(connection.commit(switch_groups(switches))); }));
    if (row.messages == 0) row.messages = committed.messages;
    if (committed.messages != row.messages) give_up("the number of messages differs from round to round");
    check(connection, after, "the switch");
    intent = std::move(after);

    after = switched(intent);
    const test::TemporaryFile file(
        fmt::format("table inet {0}\ndelete table inet {0}\n{1}", table_name, model::render(build(after))));
    theirs.push_back(timed<std::micro>([&] { reload_by_nft(file); }));
    check(connection, after, "nft -f");
    intent = std::move(after);
  }
  row.switch_us = median(std::move(ours));
  row.nft_us = median(std::move(theirs));
  return row;
}

}  // namespace

int main(int count, char** arguments) {
  const std::size_t rounds = arguments_of(count, arguments, 15).rounds;
  fmt::print(
      "A mode switch: request to commit → the kernel's acknowledgement, next to nft -f reloading the ruleset.\n"
      "Medians of {} alternating rounds in one network namespace; after each round the kernel was read and compared.\n\n"
      "{:>7} {:>8} {:>9} {:>12} {:>12} {:>7}\n",
      rounds, "groups", "tablets", "messages", "switch, µs", "nft -f, µs", "ratio");
  std::size_t messages = 0;
  for (const std::size_t groups : {1U, 30U, 100U}) {
    for (const std::size_t tablets : {50U, 500U, 5'000U}) {
      const Row row = measure(groups, tablets, rounds);
      fmt::print("{:>7} {:>8} {:>9} {:>11.0f} {:>11.0f} {:>6.0f}×\n", groups, tablets, row.messages, row.switch_us, row.nft_us,
                 row.nft_us / row.switch_us);
      std::fflush(stdout);
      if (messages == 0) messages = row.messages;
      if (row.messages != messages) give_up("the number of messages depends on groups or tablets");
    }
  }
  return 0;
}
