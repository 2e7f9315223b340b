// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/gate_rules.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <utility>

namespace schultor::policy {
namespace {

/// What closes a name: a pattern or a list, whichever is more specific. Where both are alike the pattern, which somebody wrote
/// here.
struct Closing {
  Match pattern;
  ListMatch list;

  Closing(const NamePatterns& patterns, const Categories& lists, std::string_view name, const lists::Hits& hits)
      : pattern(patterns.best(name)), list(lists.best(hits)) {
    if (pattern.pattern != nullptr && pattern.specificity >= list.specificity) list = {};
    else if (list.category != nullptr) pattern = {};
  }
  [[nodiscard]] bool holds() const { return pattern.pattern != nullptr || list.category != nullptr; }
  [[nodiscard]] Specificity specificity() const { return list.category != nullptr ? list.specificity : pattern.specificity; }
  [[nodiscard]] Judgement refusal(std::string_view because) const {
    return {Verdict::refuse, because, pattern.pattern, list.category, list.specificity.labels};
  }
};

/// The profile's own word: the order without cloud and never.
Judgement judge_in_profile(const ProfileNames& profile, std::string_view name, const lists::Hits& hits) {
  if (const Closing blocked(profile.city_block, profile.city_block_lists, name, hits); blocked.holds()) {
    const auto excepted = profile.city_allow.best(name);
    if (excepted.pattern == nullptr || excepted.specificity <= blocked.specificity()) return blocked.refusal("city-block");
  }
  const auto allowed = profile.allow.best(name);
  const Closing blocked(profile.block, profile.block_lists, name, hits);
  if (blocked.holds() && (allowed.pattern == nullptr || blocked.specificity() >= allowed.specificity))
    return blocked.refusal("block");
  if (allowed.pattern != nullptr) return {Verdict::allow, "allow", allowed.pattern};
  return {profile.listed ? Verdict::refuse : Verdict::allow, "default"};
}

template <typename Rules, typename Visit>
void for_each_rule_of_lists(Rules& rules, Visit visit) {
  visit(rules.never_lists);
  for (auto& profile : rules.profiles) {
    visit(profile.city_block_lists);
    visit(profile.block_lists);
  }
}

}  // namespace

std::vector<const Category*> named_lists(const GateRules& rules) {
  std::vector<const Category*> all;
  for_each_rule_of_lists(rules, [&](const Categories& some) {
    for (const auto& category : some.named()) all.push_back(&category);
  });
  return all;
}

std::vector<const Category*> named_lists(const GateRules& rules, const ProfileNames& profile) {
  std::vector<const Category*> all;
  for (const auto* some : {&rules.never_lists, &profile.city_block_lists, &profile.block_lists})
    for (const auto& category : some->named()) all.push_back(&category);
  return all;
}

void number_lists(GateRules& rules, const NumberOfList& number_of) {
  for_each_rule_of_lists(rules, [&](Categories& some) { some.number(number_of); });
}

Judgement judge(const GateRules& rules, const ProfileNames& profile, std::string_view name, const lists::Hits& hits) {
  if (const auto match = rules.cloud.best(name); match.pattern != nullptr) return {Verdict::allow, "cloud", match.pattern};
  if (const Closing never(rules.never, rules.never_lists, name, hits); never.holds()) return never.refusal("never");
  return judge_in_profile(profile, name, hits);
}

Doors doors_of(const GateRules& rules, std::string_view name, const lists::Hits& hits, std::string_view target) {
  if (const auto doors = rules.cloud.doors(name); doors != 0) return doors;
  if (Closing(rules.never, rules.never_lists, name, hits).holds()) return 0;
  Doors doors = 0;
  Doors door = first_listed_door;
  for (const auto& profile : rules.profiles) {
    if (!profile.listed) continue;
    if (judge_in_profile(profile, name, hits).verdict == Verdict::allow && rewritten(profile.safe_search, name) == target)
      doors |= door;
    door <<= 1U;
  }
  return doors;
}

std::string_view rewrite_of(const ProfileNames& profile, const Judgement& judgement, std::string_view name) {
  if (judgement.verdict != Verdict::allow || judgement.because == "cloud") return {};
  return rewritten(profile.safe_search, name);
}

const SteeredHost* steered_host(const GateRules& rules, bool steer, const Judgement& judgement, std::string_view name) {
  // Names of origins lie within the cloud, so whatever a profile says of others is no matter here.
  if (judgement.verdict != Verdict::allow || judgement.because != "cloud") return nullptr;
  const auto found = std::lower_bound(rules.steered.begin(), rules.steered.end(), name,
                                      [](const SteeredHost& one, std::string_view host) { return one.host < host; });
  if (found == rules.steered.end() || found->host != name) return nullptr;
  return steer || found->scope == Scope::all ? &*found : nullptr;
}

const Ports& usual_cloud_ports() {
  static const Ports usual{{IPPROTO_TCP, 80, 80}, {IPPROTO_TCP, 443, 443}, {IPPROTO_UDP, 443, 443}};
  return usual;
}

Ports ports_of(const GateRules& rules, Doors doors) {
  Ports ports;
  if ((doors & cloud_door) != 0) ports = usual_cloud_ports();
  for (std::size_t i = 0; i < rules.cloud_ports.size(); ++i)
    if ((doors & port_class_door(i)) != 0) ports.insert(ports.end(), rules.cloud_ports[i].begin(), rules.cloud_ports[i].end());
  return base::merged(std::move(ports));
}

bool allowed_below(const GateRules& rules, const ProfileNames& profile, std::string_view name, const lists::Hits& hits) {
  if (rules.cloud.reaches_below(name)) return true;
  // An entry of a list may mean the name alone. What holds below it is then not looked for: that something may be there is no lie.
  const auto closing = rules.never_lists.numbers() | profile.city_block_lists.numbers() | profile.block_lists.numbers();
  if (!(hits.lists & closing).without(hits.below).empty()) return true;
  // A pattern that holds a name holds all below it as well.
  const auto hold_below = [&](const NamePatterns& patterns, const Categories& lists) {
    return patterns.best(name).pattern != nullptr || !(hits.below & lists.numbers()).empty();
  };
  if (hold_below(rules.never, rules.never_lists)) return false;
  const bool excepted = profile.city_allow.best(name).pattern != nullptr;
  if (hold_below(profile.city_block, profile.city_block_lists) && !excepted) return profile.city_allow.reaches_below(name);
  return profile.allow.reaches_below(name);
}

}  // namespace schultor::policy
