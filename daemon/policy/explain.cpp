// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/explain.hpp"

#include <algorithm>

namespace schultor::policy {

base::Result<Explanation> explain(const Policy& policy, const Group& group, Seconds at, std::string_view name) {
  if (base::parse_address(name))
    return base::fail("“{}” is an address, and names decide: expected the name that a tablet asks for, such as www.lernen.example",
                      name);
  const auto asked = parse_pattern(name, {});
  if (!asked) return base::pass(base::Result<Pattern>(asked));
  if (asked->text.find('*') != std::string::npos)
    return base::fail("“{}” is a pattern: expected a name such as www.lernen.example", name);

  Explanation explanation;
  explanation.name = asked->text;
  explanation.group = group.name;
  explanation.holding = holding_at(policy, group, at);
  const auto& profiles = policy.gate.profiles;
  const auto profile = std::find_if(profiles.begin(), profiles.end(),
                                    [&](const ProfileNames& one) { return one.name == explanation.holding.profile; });
  if (profile == profiles.end()) return base::fail("profile “{}” is not in the policy", explanation.holding.profile);

  const auto judgement = judge(policy.gate, *profile, explanation.name);
  explanation.verdict = judgement.verdict;
  explanation.because = judgement.because;
  explanation.ports = ports_of(policy.gate, doors_of(policy.gate, explanation.name));
  if (judgement.pattern != nullptr) {
    explanation.rule_text = judgement.pattern->text;
    explanation.rule = judgement.pattern->source;
  } else {
    explanation.rule_text = fmt::format("profile {} is {}", profile->name, profile->listed ? "listed" : "open");
    explanation.rule = profile->source;
  }
  return explanation;
}

}  // namespace schultor::policy
