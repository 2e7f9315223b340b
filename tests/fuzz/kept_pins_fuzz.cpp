// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// The cloud's pins as they are read from disk; what is accepted is written as it was read, and none lives longer than it was to.
#include "daemon/dns/pin_protocol.hpp"
#include "daemon/enforce/kept_pins.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace schultor;
using namespace schultor::enforce;

namespace {

policy::GateRules rules_of_a_cloud() {
  policy::GateRules rules;
  rules.cloud = policy::NamePatterns({{"cloud.test", {}, policy::cloud_door}});
  return rules;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto rules = rules_of_a_cloud();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto kept = kept_pins_from_text(text);
  if (!kept) return 0;
  if (kept->pins.size() > most_kept_pins || to_text(*kept) != text) std::abort();
  std::chrono::seconds longest{0};
  for (const auto& pin : kept->pins) longest = std::max(longest, pin.lifetime);
  if (longest > dns::longest_lifetime) std::abort();
  for (const bool trusted : {false, true})
    for (const auto passed : {std::chrono::hours{-1}, std::chrono::hours{0}, std::chrono::hours{3}})
      for (const auto& pin : pins_left(*kept, rules, kept->written + passed, trusted))
        if (pin.lifetime < std::chrono::seconds{1} || pin.lifetime > longest || pin.ports.empty()) std::abort();
  return 0;
}
