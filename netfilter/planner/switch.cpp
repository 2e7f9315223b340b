// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/planner/switch.hpp"

#include "netfilter/planner/build.hpp"

#include <netinet/in.h>

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

struct PortOfCloud {
  std::uint8_t protocol;
  std::uint16_t port;
};
constexpr std::array<PortOfCloud, 3> cloud_ports{{{IPPROTO_TCP, 80}, {IPPROTO_TCP, 443}, {IPPROTO_UDP, 443}}};

std::vector<model::Key> keys_of(const Pin& pin) {
  if (!pin.profile.empty()) return {{pin.address}};
  std::vector<model::Key> keys;
  for (const auto& [protocol, port] : cloud_ports) keys.push_back({pin.address, model::Protocol{protocol}, model::Port{port}});
  return keys;
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

Plan pin(const std::vector<Pin>& pins) {
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
  Plan plan{std::string(table_name)};
  for (auto& [name, entry] : by_set) {
    auto& [set, lives] = entry;
    std::vector<Element> elements;
    for (const auto& [key, life] : lives) elements.push_back({key, {}, {}, life});
    plan.operations.push_back(operation::PinElements{set, std::move(elements)});
  }
  return plan;
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
    std::map<base::Address, std::pair<std::size_t, std::chrono::milliseconds>> lives;
    for (const auto family : {base::Family::ipv4, base::Family::ipv6}) {
      const auto* set = find_set(found, declaration::pins(name, family));
      if (!set) continue;
      for (const Element& element : set->elements) {
        if (element.key.empty()) continue;
        const auto left = element.timeout.value_or(std::chrono::milliseconds(0));
        auto& [ports, life] = lives[std::get<base::Address>(element.key.front())];
        life = ports++ == 0 ? left : std::min(life, left);
      }
    }
    // A cloud address that lacks a port is not remembered, so that it is pinned anew.
    const std::size_t wanted = name.empty() ? cloud_ports.size() : 1;
    for (const auto& [address, life] : lives)
      if (life.first == wanted) pins.push_back({address, name, std::chrono::floor<std::chrono::seconds>(life.second)});
  }
  return pins;
}

}  // namespace schultor::netfilter::planner
