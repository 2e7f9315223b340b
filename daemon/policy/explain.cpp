// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/explain.hpp"

#include "daemon/policy/special_names.hpp"

#include <algorithm>

namespace schultor::policy {

base::Result<std::string> judged_name(std::string_view name) {
  if (base::parse_address(name))
    return base::fail("“{}” is an address, and names decide: expected the name that a tablet asks for, such as www.lernen.example",
                      name);
  auto asked = parse_pattern(name, {});
  if (!asked) return base::pass(std::move(asked));
  if (asked->text.find('*') != std::string::npos)
    return base::fail("“{}” is a pattern: expected a name such as www.lernen.example", name);
  return std::move(asked->text);
}

base::Result<Explanation> explain(const Policy& policy, const Group& group, Seconds at, std::string_view name,
                                  const lists::Hits& hits) {
  auto asked = judged_name(name);
  if (!asked) return base::pass(std::move(asked));
  Explanation explanation;
  explanation.name = std::move(*asked);
  explanation.group = group.name;
  explanation.holding = holding_at(policy, group, at);
  const auto& profiles = policy.gate.profiles;
  const auto profile = std::find_if(profiles.begin(), profiles.end(),
                                    [&](const ProfileNames& one) { return one.name == explanation.holding.profile; });
  if (profile == profiles.end()) return base::fail("profile “{}” is not in the policy", explanation.holding.profile);

  if (const auto special = special_name(policy.gate, explanation.name)) {
    const bool held = special->kind <= Special::loopback;
    const auto refused = judge(policy.gate, *profile, explanation.name, hits).verdict == Verdict::refuse;
    // A single label that no rule allows is refused for that.
    if (special->kind != Special::unqualified || !refused) {
      explanation.verdict = held ? Verdict::allow : Verdict::refuse;
      explanation.because = "special";
      explanation.rule_text = special->rule;
      explanation.rule = {"built-in", 0};
      return explanation;
    }
  }
  const auto judgement = judge(policy.gate, *profile, explanation.name, hits);
  explanation.verdict = judgement.verdict;
  explanation.because = judgement.because;
  explanation.ports = ports_of(policy.gate, doors_of(policy.gate, explanation.name, hits));
  if (judgement.pattern != nullptr) {
    explanation.rule_text = judgement.pattern->text;
    explanation.rule = judgement.pattern->source;
  } else if (judgement.category != nullptr) {
    explanation.list = judgement.category->list;
    explanation.entry = lists::entry_of(explanation.name, judgement.labels);
    explanation.rule_text = fmt::format("{} on list {}", explanation.entry, explanation.list);
    explanation.rule = judgement.category->source;
  } else {
    explanation.rule_text = fmt::format("profile {} is {}", profile->name, profile->listed ? "listed" : "open");
    explanation.rule = profile->source;
  }
  if (const auto* steered = steered_host(policy.gate, steers(group), judgement, explanation.name)) {
    explanation.kept = policy.cache ? policy.cache->origins.at(steered->origin).name : std::string();
    explanation.because = "origin";
    explanation.rule_text =
        fmt::format("origin {}, for {}", explanation.kept, steered->scope == Scope::all ? "everybody" : "school-owned groups");
    explanation.rule = steered->source;
  }
  explanation.rewrite = rewrite_of(*profile, judgement, explanation.name);
  if (!explanation.rewrite.empty()) {
    explanation.because = "safe-search";
    explanation.rule_text = fmt::format("{}, since profile {} has safe search", explanation.rewrite, profile->name);
    explanation.rule = profile->safe_search_source;
  }
  return explanation;
}

}  // namespace schultor::policy
