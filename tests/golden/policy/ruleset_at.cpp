// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// ruleset_at --config DIR --at TIME [--override GROUP|all PROFILE END]…: what schultord would tell a kernel that knows nothing yet,
// for a directory at an instant: what holds for each group and why, the numbers of groups and views, and the ruleset.
#include "daemon/enforce/moment.hpp"
#include "daemon/policy/compile.hpp"
#include "netfilter/planner/build.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

using namespace schultor;

namespace {

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "ruleset_at: %s\n", why.c_str());
  std::exit(2);
}

struct Request {
  std::string directory;
  std::string at;
  std::vector<policy::OverrideRequest> overrides;  ///< in the order in which they are set
};

Request read_request(int count, char** arguments) {
  Request request;
  int next = 1;
  const auto take = [&]() -> std::string {
    if (next == count) give_up("usage: ruleset_at --config DIR --at TIME [--override GROUP|all PROFILE END]…");
    return arguments[next++];
  };
  while (next < count) {
    const auto option = take();
    if (option == "--config") request.directory = take();
    else if (option == "--at") request.at = take();
    else if (option == "--override") {
      policy::OverrideRequest one;
      if (auto group = take(); group != "all") one.group = std::move(group);
      one.profile = take();
      one.end = take();
      request.overrides.push_back(std::move(one));
    } else give_up(fmt::format("there is no option {}", option));
  }
  return request;
}

template <typename T>
T value_of(base::Result<T> result) {
  if (!result) give_up(result.error().what());
  return *std::move(result);
}

}  // namespace

int main(int count, char** arguments) {
  const auto request = read_request(count, arguments);
  const auto loaded = policy::load(request.directory, config::Need::everything());
  for (const auto& one : loaded.diagnostics) std::fprintf(stderr, "%s\n", config::to_string(one).c_str());
  if (!loaded.policy) return 1;
  const auto& policy = *loaded.policy;
  const auto at = value_of(policy::parse_local(policy, request.at));
  policy::Circumstances circumstances;
  for (const auto& one : request.overrides)
    circumstances.overrides =
        value_of(policy::with_override(policy, circumstances.overrides, one, circumstances.overrides.size(), at));

  const auto numbers = value_of(enforce::with_numbers_for({}, policy));
  enforce::Generations generations;
  for (const auto& [name, number] : numbers.groups) generations[number] = 1;
  const auto moment = enforce::moment_at(policy, at, circumstances);
  for (std::size_t i = 0; i < policy.groups.size(); ++i) {
    const auto& holding = moment.spans[i].holding;
    fmt::print("# group {:#04x} {}: {}, {} ({}:{})\n", numbers.groups.at(policy.groups[i].name), policy.groups[i].name,
               holding.profile, holding.text, holding.rule.file, holding.rule.line);
  }
  for (const auto& [name, number] : numbers.views) fmt::print("# view {:#04x} {}\n", number, name);
  std::vector<std::string> interfaces;
  for (const auto& interface : loaded.config->gateway.lan_interfaces) interfaces.push_back(interface.value);
  const auto intent = enforce::intent_of(policy, interfaces, moment, numbers, generations);
  fmt::print("{}", netfilter::model::render(netfilter::planner::build(intent)));
  return 0;
}
