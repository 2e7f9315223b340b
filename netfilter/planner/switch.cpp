// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/planner/switch.hpp"

#include "netfilter/planner/build.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace schultor::netfilter::planner {
namespace {

using model::Element;
using model::SetDeclaration;

/// What leaves and what enters one set.
struct Change {
  SetDeclaration set;
  std::vector<Element> leaving{}, entering{};

  void note(const std::optional<Element>& from, const Element& to) {
    if (from == to) return;
    if (from) leaving.push_back(*from);
    entering.push_back(to);
  }
};

std::vector<model::Key> keys_of(const Pin& pin) {
  if (!pin.profile.empty()) return {{pin.address}};
  std::vector<model::Key> keys;
  for (const auto& range : pin.ports)
    for (std::uint32_t port = range.first; port <= range.last; ++port)
      keys.push_back({pin.address, model::Protocol{range.protocol}, model::Port{static_cast<std::uint16_t>(port)}});
  return keys;
}

/// The port of a cloud pin's element.
std::optional<base::PortRange> port_of(const Element& element) {
  if (element.key.size() != 3) return std::nullopt;
  const auto port = std::get<model::Port>(element.key[2]).number;
  return base::PortRange{std::get<model::Protocol>(element.key[1]).number, port, port};
}

const model::FoundSet* find_set(const model::Found& found, const SetDeclaration& declaration) {
  for (const auto& set : found.sets)
    if (!set.foreign && set.declaration == declaration) return &set;
  return nullptr;
}

}  // namespace

Plan switch_groups(const std::vector<GroupSwitch>& switches) {
  Change policy{declaration::group_policy()}, stamps{declaration::group_stamp()}, views{declaration::group_view()},
      pairs{declaration::fresh_pair()}, fresh{declaration::fresh()};
  for (const auto& [from, to] : switches) {
    const GroupElements now = group_elements(to);
    const auto before = from ? std::optional(group_elements(*from)) : std::nullopt;
    const auto note = [&](Change& change, Element GroupElements::*element) {
      change.note(before ? std::optional((*before).*element) : std::nullopt, now.*element);
    };
    note(policy, &GroupElements::policy);
    note(stamps, &GroupElements::stamp);
    note(views, &GroupElements::view);
    note(pairs, &GroupElements::fresh_pair);
    note(fresh, &GroupElements::fresh);
  }
  Plan plan{std::string(table_name)};
  const std::array changes{&policy, &stamps, &views, &pairs, &fresh};
  for (Change* change : changes)
    if (!change->leaving.empty()) plan.operations.push_back(operation::DeleteElements{change->set, std::move(change->leaving)});
  for (Change* change : changes)
    if (!change->entering.empty()) plan.operations.push_back(operation::AddElements{change->set, std::move(change->entering)});
  return plan;
}

namespace {

/// Each set of pins once, with its elements by their keys; of two pins for one key the longer.
std::vector<model::Set> sets_of(const std::vector<Pin>& pins) {
  std::map<std::string, std::pair<SetDeclaration, std::map<model::Key, std::chrono::milliseconds>>> by_set;
  for (const Pin& pin : pins) {
    auto& [set, lives] = by_set[pin_set(pin.profile, pin.address.family)];
    set = declaration::pins(pin.profile, pin.address.family);
    const std::chrono::milliseconds lifetime = std::max(pin.lifetime, std::chrono::seconds(1));
    for (model::Key& key : keys_of(pin)) {
      auto& life = lives[std::move(key)];
      life = std::max(life, lifetime);
    }
  }
  std::vector<model::Set> sets;
  for (auto& [name, entry] : by_set) {
    auto& [set, lives] = entry;
    std::vector<Element> elements;
    for (const auto& [key, life] : lives) elements.push_back({key, {}, {}, life});
    if (!elements.empty()) sets.push_back({std::move(set), std::move(elements)});
  }
  return sets;
}

}  // namespace

Plan pin(const std::vector<Pin>& pins) {
  Plan plan{std::string(table_name)};
  for (auto& [declaration, elements] : sets_of(pins))
    plan.operations.push_back(operation::PinElements{std::move(declaration), std::move(elements)});
  return plan;
}

void begin_with(model::Ruleset& ruleset, const std::vector<Pin>& pins) {
  for (auto& pinned : sets_of(pins))
    for (auto& set : ruleset.sets)
      if (set.declaration == pinned.declaration) set.elements = std::move(pinned.elements);
}

Generation next(Generation generation) {
  return generation == std::numeric_limits<Generation>::max() ? Generation{1} : static_cast<Generation>(generation + 1);
}

std::map<GroupNumber, Generation> generations(const model::Found& found) {
  std::map<GroupNumber, Generation> in_force;
  const auto* stamps = find_set(found, declaration::group_stamp());
  if (!stamps) return in_force;
  for (const Element& element : stamps->elements) {
    if (element.key.empty()) continue;
    const auto* group = std::get_if<model::Mark>(&element.key.front());
    const auto* mark = std::get_if<model::Mark>(&element.value);
    if (group && mark && mark->value >> 16 == group->value)
      in_force[static_cast<GroupNumber>(group->value)] = static_cast<Generation>(mark->value & 0xffff);
  }
  return in_force;
}

std::vector<Pin> pins_found(const model::Found& found, const std::vector<Profile>& profiles) {
  std::vector<std::string> names{""};
  for (const Profile& profile : profiles)
    if (profile.listed) names.push_back(profile.name);
  std::vector<Pin> pins;
  for (const auto& name : names) {
    std::map<base::Address, Pin> by_address;
    for (const auto family : {base::Family::ipv4, base::Family::ipv6}) {
      const auto* set = find_set(found, declaration::pins(name, family));
      if (!set) continue;
      for (const Element& element : set->elements) {
        if (element.key.empty()) continue;
        const auto left = std::chrono::floor<std::chrono::seconds>(element.timeout.value_or(std::chrono::milliseconds(0)));
        const auto& address = std::get<base::Address>(element.key.front());
        auto& pin = by_address.try_emplace(address, Pin{address, name, left, {}}).first->second;
        pin.lifetime = std::min(pin.lifetime, left);
        if (const auto port = port_of(element)) pin.ports.push_back(*port);
      }
    }
    for (auto& [address, pin] : by_address) {
      pin.ports = base::merged(std::move(pin.ports));
      pins.push_back(std::move(pin));
    }
  }
  return pins;
}

}  // namespace schultor::netfilter::planner
