// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
//
// What open connections carry across a mode switch. 200 tablets, each with a MAC and addresses of its own, hold 2,000 flows open
// through a gateway in network namespaces of this process's own: TCP and UDP, IPv4 and IPv6, some where the tablet speaks next and
// some where the server does; to a game, to the cloud and to a listed site. Then all groups switch from leisure to school, by
// planner and kernel as schultord does it, and every flow speaks: once after the acknowledgement, or all the time. A forbidden flow
// that carried an octet said after the acknowledgement is a leak. Beside it the floor, the same flows that speak while nothing is
// switched; and as peers, which show that leaks and disturbance are seen where there are any, the usual ruleset that accepts what
// is established: reloaded by nft -f, and with conntrack flushed after it.
#include "netfilter/kernel/connection.hpp"
#include "netfilter/planner/build.hpp"
#include "netfilter/planner/reconcile.hpp"
#include "netfilter/planner/switch.hpp"
#include "tests/bench/leak/flows.hpp"
#include "tests/bench/leak/talk.hpp"
#include "tests/bench/lib/measuring.hpp"
#include "tests/kernel/netfilter_examples.hpp"
#include "tests/kernel/network_namespace.hpp"

#include <fmt/format.h>
#include <netinet/in.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

using namespace schultor;
using namespace schultor::bench;
using namespace schultor::netfilter;

namespace {

constexpr std::size_t tablets = 200, groups = 10;
/// What is shown, in this order.
const std::string floor_once = "1 nothing is switched (floor)", floor_always = "2 the same, all the time",
                  ours_once = "3 schultor, each speaks once", ours_always = "4 schultor, all the time",
                  peer_reloaded = "5 usual rules, nft -f", peer_flushed = "6 usual rules, conntrack -F";
constexpr std::array families{base::Family::ipv4, base::Family::ipv6};

base::Prefix host(Destination destination, base::Family family) {
  return {address_of(destination, family), static_cast<std::uint8_t>(family == base::Family::ipv4 ? 32 : 128)};
}

bool to_game(const Flow& flow) { return flow.to == Destination::game; }

planner::Intent leisure() {
  planner::Intent intent;
  intent.lan_interfaces = {"lan0"};
  intent.masqueraded = {"wan0"};
  intent.profiles = {{"school", true, 1}, {"leisure", false, 0}};
  for (std::size_t i = 1; i <= groups; ++i) intent.groups.push_back({static_cast<planner::GroupNumber>(i), "leisure", 2, 1});
  for (std::size_t i = 0; i < tablets; ++i) intent.devices[mac_of_tablet(i)] = static_cast<planner::GroupNumber>(1 + i % groups);
  for (const auto family : families)
    intent.cloud_services.push_back({host(Destination::cloud, family), IPPROTO_UDP, first_udp_port, last_udp_port});
  return intent;
}

std::vector<planner::Pin> pins() {
  std::vector<planner::Pin> made;
  for (const auto family : families) {
    made.push_back({address_of(Destination::cloud, family), "", std::chrono::hours(1), test::usual_ports});
    made.push_back({address_of(Destination::learning, family), "school", std::chrono::hours(1)});
  }
  return made;
}

/// Ours, in the gateway's namespace.
class Schultor {
public:
  explicit Schultor(const Host& gateway) : connection_(must(open(gateway))) {}

  void begin() {
    intent_ = leisure();
    auto ruleset = planner::build(intent_);
    planner::begin_with(ruleset, pins());
    must(connection_.commit(planner::reconcile(ruleset, must(connection_.read(planner::table_name)))));
  }
  void to_school() {
    std::vector<planner::GroupSwitch> switches;
    for (auto& group : intent_.groups) {
      const auto before = group;
      group.profile = "school";
      group.view = 1;
      group.generation = planner::next(group.generation);
      switches.push_back({before, group});
    }
    must(connection_.commit(planner::switch_groups(switches)));
  }
  void end() { must(connection_.commit({std::string(planner::table_name), {planner::operation::DeleteTable{}}})); }

private:
  static base::Result<kernel::Connection> open(const Host& gateway) {
    const Host::Inside inside(gateway);
    return kernel::Connection::open();
  }
  kernel::Connection connection_;
  planner::Intent intent_;
};

/// What is established passes; a mode is what is asked of new flows.
class Usual {
public:
  Usual(const Host& gateway, bool flush) : gateway_(gateway), flush_(flush) {}

  void begin() const { load("accept"); }
  void to_school() const {
    load("ip daddr @allowed4 accept\n    ip6 daddr @allowed6 accept\n    meta l4proto tcp reject with tcp reset\n    reject");
    if (flush_) gateway_.run("conntrack -F");
  }
  void end() const { gateway_.run("nft delete table inet usual"); }

private:
  void load(const char* mode) const {
    const auto allowed = [](base::Family family) {
      return fmt::format("{}, {}", base::to_string(address_of(Destination::cloud, family)),
                         base::to_string(address_of(Destination::learning, family)));
    };
    const test::TemporaryFile file(fmt::format(R"(table inet usual
delete table inet usual
table inet usual {{
  set allowed4 {{ type ipv4_addr; elements = {{ {} }}; }}
  set allowed6 {{ type ipv6_addr; elements = {{ {} }}; }}
  chain mode {{
    {}
  }}
  chain forward {{
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "lan0" goto mode
  }}
}}
)",
                                               allowed(base::Family::ipv4), allowed(base::Family::ipv6), mode));
    gateway_.run("nft -f " + file.path());
  }
  const Host& gateway_;
  bool flush_;
};

/// Of all rounds: what was counted, added up, and times.
struct Row {
  Outcome sum;
  std::vector<double> commit, last_reset, reset, last_arrival, arrival;

  void add(const Outcome& one) {
    for (const auto counter : {&Outcome::forbidden, &Outcome::allowed, &Outcome::leaked, &Outcome::reset, &Outcome::forbidden_tcp,
                               &Outcome::told, &Outcome::disturbed, &Outcome::retransmitted})
      sum.*counter += one.*counter;
    commit.push_back(one.commit_ms);
    last_reset.push_back(one.last_reset_ms);
    reset.push_back(one.reset_us);
    last_arrival.push_back(one.last_arrival_ms);
    arrival.push_back(one.arrival_us);
  }
};

class Bench {
public:
  explicit Bench(std::size_t flows) : flows_(flows) { plug_in(hosts_, tablets); }

  /// One round of each kind; `rows` by what is shown.
  void measure(std::map<std::string, Row>& rows) {
    Schultor schultor(hosts_.gateway);
    for (const auto talk : {Talk::once, Talk::always}) {
      schultor.begin();
      auto flows = open();
      const auto nothing = [](const Flow&) { return false; };
      const auto floor = speak_across(
          flows, talk, nothing, [] {}, patience);
      rows[talk == Talk::once ? floor_once : floor_always].add(floor);
      if (floor.disturbed > 0)
        give_up(fmt::format("of {} flows {} carry nothing before any switch", flows.size(), floor.disturbed));
      const auto outcome = speak_across(
          flows, talk, to_game, [&] { schultor.to_school(); }, patience);
      rows[talk == Talk::once ? ours_once : ours_always].add(outcome);
      schultor.end();
    }
    for (const bool flush : {false, true}) {
      const Usual usual(hosts_.gateway, flush);
      usual.begin();
      auto flows = open();
      const auto outcome = speak_across(
          flows, Talk::once, to_game, [&] { usual.to_school(); }, impatience);
      rows[flush ? peer_flushed : peer_reloaded].add(outcome);
      usual.end();
    }
  }

private:
  static constexpr std::chrono::milliseconds patience{20'000};
  /// With peers, whose flows that never end are waited for in vain.
  static constexpr std::chrono::milliseconds impatience{1'000};

  std::vector<Flow> open() {
    hosts_.gateway.run("conntrack -F");
    return open_flows(hosts_, tablets, flows_);
  }

  ThreeHosts hosts_;
  std::size_t flows_;
};

void show(const std::string& name, const Row& row) {
  const auto& sum = row.sum;
  fmt::print("{:>30} {:>8.2f} {:>6}/{:<6} {:>6}/{:<6} {:>6} {:>6}/{:<6} {:>6} {:>10.1f} {:>9.0f} {:>11.1f} {:>9.0f}\n",
             name.substr(2), median(row.commit), sum.leaked, sum.forbidden, sum.reset, sum.forbidden_tcp, sum.told, sum.disturbed,
             sum.allowed, sum.retransmitted, median(row.last_reset), median(row.reset), median(row.last_arrival),
             median(row.arrival));
}

/// Whether the issue's lines hold; the peer that leaks shows that a leak would have been seen.
void judge(const std::map<std::string, Row>& rows) {
  Outcome ours;
  for (const auto& name : {ours_once, ours_always}) {
    const auto& sum = rows.at(name).sum;
    ours.leaked += sum.leaked;
    ours.disturbed += sum.disturbed;
    ours.reset += sum.reset;
    ours.forbidden_tcp += sum.forbidden_tcp;
  }
  if (rows.at(peer_reloaded).sum.leaked == 0 || rows.at(peer_flushed).sum.disturbed == 0)
    give_up("the peers leak nothing and disturb nothing: this benchmark sees nothing");
  fmt::print("\nforbidden flows that carried an octet after the acknowledgement: {}: {}\n", ours.leaked,
             ours.leaked == 0 ? "holds" : "does not hold");
  fmt::print("allowed flows disturbed: {}: {}\n", ours.disturbed, ours.disturbed == 0 ? "holds" : "does not hold");
  fmt::print("forbidden flows of TCP that spoke and were not reset: {}\n", ours.forbidden_tcp - ours.reset);
  if (ours.leaked + ours.disturbed > 0 || ours.forbidden_tcp != ours.reset) give_up("the mode does not hold");
}

}  // namespace

int main(int count, char** words) {
  const std::size_t rounds = arguments_of(count, words, 7).rounds;
  const std::size_t flows = 2'000;
  std::map<std::string, Row> rows;
  Bench bench(flows);
  for (std::size_t round = 0; round < rounds; ++round) bench.measure(rows);
  fmt::print(
      "{} tablets with {} open flows across a switch of all groups: {} rounds; counts are of all of them, times are medians.\n"
      "“last”: from the acknowledgement until the last of the forbidden knew that it is reset, and until the last word of the "
      "others\n"
      "arrived; “each”: from its own word on, the median of all flows.\n\n"
      "{:>30} {:>8} {:>13} {:>13} {:>6} {:>13} {:>6} {:>20} {:>21}\n"
      "{:>30} {:>8} {:>13} {:>13} {:>6} {:>13} {:>6} {:>10} {:>9} {:>11} {:>9}\n",
      tablets, flows, rounds, "", "switch,", "leaked, of", "reset, of", "told,", "disturbed, of", "re-", "resets: last, each,",
      "arrivals: last, each,", "", "ms", "forbidden", "forbidden TCP", "UDP", "allowed", "trans.", "ms", "µs", "ms", "µs");
  for (const auto& [name, row] : rows) show(name, row);
  judge(rows);
  return 0;
}
