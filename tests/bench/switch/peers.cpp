// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tests/bench/switch/peers.hpp"

#include "netfilter/kernel/acknowledgement.hpp"
#include "netfilter/kernel/connection.hpp"
#include "tests/bench/lib/measuring.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <linux/netlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace schultor::bench {
namespace {

using namespace netfilter;
using planner::Plan;

constexpr const char* floor_table = "schultor_floor";
/// A switch takes elements out of five sets and puts as many in.
constexpr std::size_t sets = 5;

model::SetDeclaration floor_set(std::size_t number) { return {fmt::format("floor{}", number), {model::Type::mark}}; }

std::vector<model::Element> floor_elements(std::size_t groups, std::uint32_t generation) {
  std::vector<model::Element> elements;
  for (std::size_t group = 1; group <= groups; ++group)
    elements.push_back({{model::Mark{static_cast<std::uint32_t>(group << 16 | generation)}}});
  return elements;
}

Plan exchange(std::size_t groups, std::uint32_t from, std::uint32_t to) {
  using namespace planner::operation;
  Plan plan{floor_table};
  for (std::size_t i = 0; i < sets; ++i) plan.operations.push_back(DeleteElements{floor_set(i), floor_elements(groups, from)});
  for (std::size_t i = 0; i < sets; ++i) plan.operations.push_back(AddElements{floor_set(i), floor_elements(groups, to)});
  return plan;
}

kernel::Batch encoded(const Plan& plan) { return must(kernel::Batch::encode(plan, kernel::RefreshMode::update, 1)); }

void send_to(const base::UniqueFd& socket, const kernel::Batch& batch) {
  const auto octets = batch.octets();
  if (send(socket.get(), octets.data(), octets.size(), 0) != static_cast<ssize_t>(octets.size()))
    give_up(fmt::format("sending the empty transaction: {}", std::generic_category().message(errno)));
  static std::array<std::uint8_t, 65536> answers;
  for (std::size_t open = batch.notes().size(); open > 0;) {
    const ssize_t size = recv(socket.get(), answers.data(), answers.size(), 0);
    if (size <= 0) give_up("no answer to the empty transaction");
    const auto read = must(kernel::read_acknowledgements({answers.data(), static_cast<std::size_t>(size)}));
    for (const auto& one : read)
      if (one.error != 0) give_up(fmt::format("the empty transaction: {}", std::generic_category().message(one.error)));
    open -= std::min(open, read.size());
  }
}

/// Feeds nft a file on its standard input.
void feed_nft(const std::string& text) {
  std::FILE* nft = popen("nft -f -", "w");
  const bool written = nft != nullptr && std::fwrite(text.data(), 1, text.size(), nft) == text.size();
  if (nft == nullptr || pclose(nft) != 0 || !written) give_up("nft -f failed");
}

}  // namespace

EmptyTransaction::EmptyTransaction(std::size_t groups)
    : socket_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)),
      there_and_back_{encoded(exchange(groups, 1, 2)), encoded(exchange(groups, 2, 1))} {
  const int space = 8 << 20;
  if (!socket_ || setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof space) != 0 ||
      setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUFFORCE, &space, sizeof space) != 0)
    give_up("a netlink socket for the empty transaction");
  using namespace planner::operation;
  Plan prepare{floor_table, {AddTable{}}};
  for (std::size_t i = 0; i < sets; ++i) {
    prepare.operations.push_back(AddSet{floor_set(i)});
    prepare.operations.push_back(AddElements{floor_set(i), floor_elements(groups, 1)});
  }
  send_to(socket_, encoded(prepare));
}

void EmptyTransaction::commit() { send_to(socket_, there_and_back_.at(next_++ % 2)); }

ReloadByNft::ReloadByNft(const model::Ruleset& ruleset)
    : text_(fmt::format("table inet {0}\ndelete table inet {0}\n{1}", ruleset.table, model::render(ruleset))) {}

void ReloadByNft::run() const { feed_nft(text_); }

FlushAndReload::FlushAndReload(const model::Ruleset& ruleset) {
  constexpr const char* closed = "reload_closed";
  model::Ruleset sets_alone = ruleset, rules_alone = ruleset;
  for (auto& chain : sets_alone.chains) chain.rules.clear();
  rules_alone.sets.clear();
  rules_alone.counters.clear();
  steps_ = {
      fmt::format("table inet {0} {{\n  chain forward {{\n    type filter hook forward priority -500; policy drop;\n  }}\n}}\n"
                  "table inet {1}\ndelete table inet {1}\n",
                  closed, ruleset.table),
      model::render(sets_alone), fmt::format("{}delete table inet {}\n", model::render(rules_alone), closed)};
}

void FlushAndReload::run() const {
  for (const auto& step : steps_) feed_nft(step);
}

}  // namespace schultor::bench
