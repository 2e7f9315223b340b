// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// An endpoint list, read as a city may select from it, and made part of a policy. A first byte of '0' to '3' says how much is
// selected; the rest is the list.
#include "daemon/policy/compile.hpp"
#include "daemon/policy/explain.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace schultor;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_endpoints(const std::vector<config::Endpoint>& endpoints, int lines) {
  require(endpoints.size() <= config::most_endpoints);
  for (const auto& endpoint : endpoints) {
    require(endpoint.source.line >= 1 && endpoint.source.line <= lines);
    require(endpoint.ports == base::merged(endpoint.ports));
    for (const auto& range : endpoint.ports) require(range.first > 0 && range.first <= range.last);
    for (const auto& prefix : endpoint.prefixes) require(prefix.length >= 8);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view list(reinterpret_cast<const char*>(data), size);
  const char selection = list.empty() || list.front() < '0' || list.front() > '3' ? '0' : list.front();
  if (!list.empty() && list.front() == selection) list.remove_prefix(1);
  const auto file = std::string("endpoints/a.json");

  config::Diagnostics out;
  const auto endpoints = config::read_endpoints(
      list, file, {selection >= '1', selection >= '2' ? std::vector<std::string>{"Exchange"} : std::vector<std::string>{}}, out);
  check_endpoints(endpoints, 1 + static_cast<int>(std::count(list.begin(), list.end(), '\n')));
  for (const auto& diagnostic : std::move(out).take())
    for (const char c : config::to_string(diagnostic)) require(static_cast<unsigned char>(c) >= 0x20);

  config::Files files;
  files.gateway = "timezone = \"UTC\"\n";
  files.city =
      "[cloud]\ndomains = [\"a.example\"]\nendpoints = [{file = \"endpoints/a.json\", optional = true}]\n"
      "[[profile]]\nname = \"school\"\naccess = \"listed\"\n";
  files.school = "[[group]]\nname = \"g\"\nprofile = \"school\"\nunknown = true\n";
  files.named[file] = list;
  const auto loaded = policy::load(files, config::Need::rules(false));
  if (!loaded.policy) return 0;
  // What was accepted can be asked, handed to the gate, and opened.
  const auto& policy = *loaded.policy;
  const auto& cloud = policy.gate.cloud;
  require(policy::gate_rules_from_json(policy::to_json(policy.gate)).has_value());
  for (const auto& pattern : cloud.patterns()) {
    std::string name = pattern.text;
    std::replace(name.begin(), name.end(), '*', 'x');
    const auto doors = policy::doors_of(policy.gate, name, {});
    require((doors & policy::any_cloud_door) != 0 && (doors & ~policy::any_cloud_door) == 0);
    const auto explained = policy::explain(policy, policy.unknown_group(), policy::Seconds{}, name);
    require(explained && explained->because == "cloud" && !explained->ports.empty());
    require(explained->rule.line >= 1);
  }
  return 0;
}
