// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// The rules as the gate reads them, then a name judged by what was accepted.
#include "daemon/policy/gate_rules.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace schultor::policy;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto rules = gate_rules_from_json(input);
  if (!rules) return 0;
  const auto text = to_json(*rules);
  const auto back = gate_rules_from_json(text);
  if (!back || to_json(*back) != text) std::abort();
  for (const std::string_view name : {"", "test", "www.lernen.test", "a-files.sharepoint.com", "..", "a..b"}) {
    // What the lists say of a name is as free as the rules are.
    schultor::lists::Hits hits;
    for (std::size_t list = 0; list < schultor::lists::most_lists; ++list) {
      if (size == 0 || (data[list % size] & 1U) == 0) continue;
      hits.lists.insert(list);
      hits.labels[list] = static_cast<std::uint8_t>(1 + data[list % size] % 4);
      if ((data[list % size] & 2U) != 0) hits.below.insert(list);
    }
    const auto doors = doors_of(*rules, name, hits);
    for (const auto& profile : rules->profiles) {
      const auto judgement = judge(*rules, profile, name, hits);
      (void)allowed_below(*rules, profile, name, hits);
      // A cloud name opens doors of the cloud alone, in every profile, and each leads to a port.
      const bool of_cloud = doors != 0 && (doors & ~any_cloud_door) == 0;
      if ((judgement.because == "cloud") != of_cloud || of_cloud == ports_of(*rules, doors).empty()) std::abort();
    }
  }
  return 0;
}
