// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/mode_switch.hpp"

#include "netfilter/planner/build.hpp"

namespace schultor::enforce {
namespace {

namespace planner = netfilter::planner;
using planner::GroupNumber;

/// Groups that lost a member, or whose unnamed devices may have been named: their connections are to be judged anew.
template <typename Key>
void note_moves(const std::map<Key, GroupNumber>& before, const std::map<Key, GroupNumber>& after,
                const std::set<GroupNumber>& unnamed, std::set<GroupNumber>& disturbed) {
  for (const auto& [key, group] : before)
    if (const auto now = after.find(key); now == after.end() || now->second != group) disturbed.insert(group);
  for (const auto& [key, group] : after)
    if (!before.contains(key)) disturbed.insert(unnamed.begin(), unnamed.end());
}

std::set<GroupNumber> disturbed_groups(const Standing& found, const Standing& wanted) {
  // A device that the roster did not name belonged to its network's group, or to its interface's.
  std::set<GroupNumber> by_link, by_network;
  for (const auto& [interface, group] : found.links) by_link.insert(group);
  by_network = by_link;
  for (const auto& [prefix, group] : found.prefixes) by_network.insert(group);
  std::set<GroupNumber> disturbed;
  note_moves(found.devices, wanted.devices, by_network, disturbed);
  note_moves(found.prefixes, wanted.prefixes, by_link, disturbed);
  note_moves(found.links, wanted.links, {}, disturbed);
  return disturbed;
}

template <typename T>
const T* field(const netfilter::model::Element& element) {
  return element.key.size() == 1 ? std::get_if<T>(&element.key.front()) : nullptr;
}

/// Calls `note(key, value)` for each element of a map from one field to a mark or a verdict.
template <typename Key, typename Value, typename Note>
void for_each_element(const netfilter::model::Found& found, std::string_view set, const Note& note) {
  for (const auto& candidate : found.sets)
    if (candidate.declaration.name == set && !candidate.foreign)
      for (const auto& element : candidate.elements)
        if (const auto* key = field<Key>(element))
          if (const auto* value = std::get_if<Value>(&element.value)) note(element, *key, *value);
}

base::Prefix prefix_between(const base::Address& first, const base::Address& last) {
  base::Prefix prefix{first, 0};
  const std::uint8_t bits = first.family == base::Family::ipv4 ? 32 : 128;
  while (prefix.length < bits && base::last_address(prefix) != last) ++prefix.length;
  return prefix;
}

policy::Seconds second_of(base::Instant at) { return std::chrono::floor<std::chrono::seconds>(at); }

bool same_but_generation(planner::Group a, const planner::Group& b) {
  a.generation = b.generation;
  return a == b;
}

}  // namespace

ModeSwitch plan_mode_switch(const policy::Policy& policy, const Numbers& numbers, const Standing& in_force, const Moment& moment) {
  ModeSwitch planned;
  for (std::size_t i = 0; i < policy.groups.size(); ++i) {
    const auto& group = policy.groups[i];
    const auto& span = moment.spans[i];
    const planner::Group& from = in_force.groups.at(numbers.groups.find(group.name)->second);
    const auto to = group_in_force(group, span.holding, numbers, planner::next(from.generation));
    if (same_but_generation(from, to)) continue;
    planned.groups.push_back({from, to});
    planned.changes.push_back({group.name, from.profile, span.holding, span.since.value_or(second_of(moment.at))});
  }
  return planned;
}

Generations generations_over(const Standing& found, const policy::Policy& policy, const std::vector<std::string>& lan_interfaces,
                             const Moment& moment, const Numbers& numbers, bool rules_changed, planner::Generation first) {
  Generations generations;
  for (const auto& group : policy.groups) generations[numbers.groups.find(group.name)->second] = first;
  const auto wanted = standing_of(intent_of(policy, lan_interfaces, moment, numbers, generations));
  const auto disturbed = disturbed_groups(found, wanted);
  for (const auto& [number, group] : wanted.groups) {
    const auto known = found.groups.find(number);
    if (known == found.groups.end()) continue;
    const bool keeps = !rules_changed && !disturbed.contains(number) && same_but_generation(known->second, group);
    generations[number] = keeps ? known->second.generation : planner::next(known->second.generation);
  }
  return generations;
}

Standing standing_of(const planner::Intent& intent) {
  Standing standing{{}, intent.devices, intent.prefixes, intent.links};
  for (const auto& group : intent.groups) standing.groups.emplace(group.number, group);
  return standing;
}

Standing standing_of(const netfilter::model::Found& found, const Numbers& numbers) {
  using netfilter::model::Element;
  using netfilter::model::InterfaceName;
  using netfilter::model::Mark;
  using netfilter::model::Verdict;
  // Every profile that there ever was has views: also those that are gone.
  const auto of_views = profiles_of_views(numbers);
  std::map<std::string, std::string> profiles;
  for (const auto& [view, name] : of_views) profiles[planner::profile_chain(name)] = name;

  Standing standing;
  const auto number = [](const Mark& mark) { return static_cast<GroupNumber>(mark.value); };
  for_each_element<Mark, Verdict>(found, "group_policy", [&](const Element&, const Mark& group, const Verdict& verdict) {
    const auto known = profiles.find(verdict.chain);
    standing.groups[number(group)] = {number(group), known == profiles.end() ? std::string{} : known->second};
  });
  for_each_element<Mark, Mark>(found, "group_view", [&](const Element&, const Mark& group, const Mark& view) {
    const auto entry = standing.groups.find(number(group));
    if (entry == standing.groups.end()) return;
    auto& known = entry->second;
    known.view = view.value;
    // Of two names that the kernel spells alike the view tells which it is.
    if (const auto named = of_views.find(view.value); named != of_views.end())
      if (planner::profile_chain(named->second) == planner::profile_chain(known.profile)) known.profile = named->second;
  });
  const auto generations = planner::generations(found);
  for (auto entry = standing.groups.begin(); entry != standing.groups.end();) {
    const auto generation = generations.find(entry->first);
    if (generation == generations.end()) {
      entry = standing.groups.erase(entry);
      continue;
    }
    entry->second.generation = generation->second;
    ++entry;
  }
  for_each_element<base::Mac, Mark>(found, "device_group", [&](const Element&, const base::Mac& mac, const Mark& group) {
    standing.devices[mac] = number(group);
  });
  for (const auto* set : {"prefix_group4", "prefix_group6"})
    for_each_element<base::Address, Mark>(found, set, [&](const Element& element, const base::Address& first, const Mark& group) {
      const auto* last = element.last.empty() ? &first : std::get_if<base::Address>(&element.last.front());
      if (last != nullptr) standing.prefixes[prefix_between(first, *last)] = number(group);
    });
  for_each_element<InterfaceName, Mark>(
      found, "link_group",
      [&](const Element&, const InterfaceName& interface, const Mark& group) { standing.links[interface.name] = number(group); });
  return standing;
}

std::vector<ModeChange> changes_over(const Standing& found, const policy::Policy& policy, const Moment& moment,
                                     const Numbers& numbers, Occasion occasion) {
  std::vector<ModeChange> changes;
  for (std::size_t i = 0; i < policy.groups.size(); ++i) {
    const auto& span = moment.spans[i];
    const auto known = found.groups.find(numbers.groups.find(policy.groups[i].name)->second);
    const bool unchanged = known != found.groups.end() && known->second.profile == span.holding.profile;
    if (unchanged && occasion != Occasion::start) continue;
    // A profile that has always held changed nothing that is to be told again.
    if (unchanged && !span.since) continue;
    const auto at = occasion == Occasion::reload ? second_of(moment.at) : span.since.value_or(second_of(moment.at));
    changes.push_back(
        {policy.groups[i].name, unchanged || known == found.groups.end() ? "" : known->second.profile, span.holding, at});
  }
  return changes;
}

}  // namespace schultor::enforce
