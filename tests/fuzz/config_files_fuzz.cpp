// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// A whole configuration directory in one input: the files follow one another, each begun by a line "=== NAME".
#include "daemon/policy/compile.hpp"
#include "daemon/policy/explain.hpp"
#include "daemon/policy/questionable.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace schultor;

namespace {

config::Files split(std::string_view input) {
  config::Files files;
  std::optional<std::string>* current = &files.city;
  while (!input.empty()) {
    const auto end = std::min(input.find('\n'), input.size());
    const auto line = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    if (line == "=== gateway.toml") {
      current = &files.gateway;
    } else if (line == "=== city.toml") {
      current = &files.city;
    } else if (line == "=== school.toml") {
      current = &files.school;
    } else if (line == "=== roster.csv") {
      current = &files.roster;
    } else {
      if (!*current) current->emplace();
      (*current)->append(line).append("\n");
    }
  }
  return files;
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto files = split({reinterpret_cast<const char*>(data), size});
  const auto loaded = policy::load(files, config::Need::everything());
  require(loaded.policy.has_value() == !config::has_errors(loaded.diagnostics));
  for (const auto& diagnostic : loaded.diagnostics)
    for (const char c : config::to_string(diagnostic)) require(static_cast<unsigned char>(c) >= 0x20);
  if (!loaded.policy) return 0;
  // What was accepted can be asked, and handed to the gate.
  const auto& policy = *loaded.policy;
  require(policy.unknown_group().unknown);
  require(policy::gate_rules_from_json(policy::to_json(policy.gate)).has_value());
  const policy::Seconds at{std::chrono::seconds{1'774'594'800}};
  for (const auto& diagnostic : policy::questionable(*loaded.config, policy, at))
    require(diagnostic.severity == config::Severity::warning && diagnostic.line > 0);
  for (const auto& group : policy.groups) {
    (void)policy::span_at(policy, group, at);
    require(policy::explain(policy, group, at, "www.lernen.test").has_value());
  }
  return 0;
}
