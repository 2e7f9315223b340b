// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/planner/reconcile.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

namespace schultor::netfilter::planner {
namespace {

using namespace model;
using namespace operation;

constexpr std::uint32_t table_dormant = 1;   // NFT_TABLE_F_DORMANT
constexpr std::uint32_t object_counter = 1;  // NFT_OBJECT_COUNTER

template <typename Items, typename Name>
auto find(const Items& items, Name name_of, std::string_view name) -> decltype(&*items.begin()) {
  const auto at = std::find_if(items.begin(), items.end(), [&](const auto& item) { return name_of(item) == name; });
  return at == items.end() ? nullptr : &*at;
}
const FoundSet* find_set(const Found& found, std::string_view name) {
  return find(
      found.sets, [](const FoundSet& set) -> std::string_view { return set.declaration.name; }, name);
}
const FoundChain* find_chain(const Found& found, std::string_view name) {
  return find(
      found.chains, [](const FoundChain& chain) -> std::string_view { return chain.name; }, name);
}

const FoundFlowtable* find_flowtable(const Found& found, std::string_view name) {
  return find(
      found.flowtables, [](const FoundFlowtable& one) -> std::string_view { return one.flowtable.name; }, name);
}

/// `flowtable` with those of its devices that `other` does not have.
Flowtable without_devices_of(Flowtable flowtable, const Flowtable& other) {
  std::erase_if(flowtable.devices, [&](const std::string& device) {
    return std::find(other.devices.begin(), other.devices.end(), device) != other.devices.end();
  });
  return flowtable;
}

/// Devices come to a flowtable and leave it; all else is for ever.
bool is_kept(const FoundFlowtable& found, const Flowtable& wanted) {
  return !found.foreign && found.flowtable.priority == wanted.priority;
}
bool is_kept(const FoundSet& found, const SetDeclaration& wanted) { return !found.foreign && found.declaration == wanted; }

/// Hooks that differ in their policy alone are the same chain.
bool is_kept(const FoundChain& found, const Chain& wanted) {
  if (found.foreign || found.hook.has_value() != wanted.hook.has_value()) return false;
  if (!found.hook) return true;
  Hook with_policy = *found.hook;
  with_policy.drops = wanted.hook->drops;
  return with_policy == *wanted.hook;
}

bool same_rules(const FoundChain& found, const Chain& wanted) {
  return std::equal(found.rules.begin(), found.rules.end(), wanted.rules.begin(), wanted.rules.end(),
                    [](const Program& program, const Rule& rule) { return program == lower(rule); });
}

/// Builds the plan in the one order in which the kernel takes it: whoever refers to a thing leaves before the thing and comes
/// after it.
class Reconciliation {
public:
  Reconciliation(const Ruleset& wanted, const Found& found) : wanted_(wanted), found_(found), plan_{wanted.table} {}

  Plan run() {
    // A dormant table can neither be woken and rebuilt in one transaction nor has it enforced anything: it starts over.
    if (found_.exists && (found_.flags & table_dormant) != 0) {
      add(DeleteTable{});
      found_ = Found{};
    }
    if (!found_.exists) add(AddTable{});
    structure_differs_ = differs_in_structure();
    flush_chains();
    remove_elements();
    remove_stale();
    add_missing();
    add_elements();
    add_rules();
    return std::move(plan_);
  }

private:
  void add(Operation operation) { plan_.operations.push_back(std::move(operation)); }

  const Set* wanted_set(std::string_view name) const {
    return find(
        wanted_.sets, [](const Set& set) -> std::string_view { return set.declaration.name; }, name);
  }
  const Chain* wanted_chain(std::string_view name) const {
    return find(
        wanted_.chains, [](const Chain& chain) -> std::string_view { return chain.name; }, name);
  }
  const Flowtable* wanted_flowtable(std::string_view name) const {
    return find(
        wanted_.flowtables, [](const Flowtable& one) -> std::string_view { return one.name; }, name);
  }
  bool keeps(const FoundFlowtable& found) const {
    const Flowtable* wanted = wanted_flowtable(found.flowtable.name);
    return wanted && is_kept(found, *wanted);
  }
  bool keeps(const FoundSet& set) const {
    const Set* wanted = wanted_set(set.declaration.name);
    return wanted && is_kept(set, wanted->declaration);
  }
  bool keeps(const FoundChain& chain) const {
    const Chain* wanted = wanted_chain(chain.name);
    return wanted && is_kept(chain, *wanted);
  }
  bool keeps(const FoundObject& object) const {
    return object.type == object_counter &&
           std::find(wanted_.counters.begin(), wanted_.counters.end(), object.name) != wanted_.counters.end();
  }

  /// Something has to go, and any rule or verdict may hold on to it.
  bool differs_in_structure() const {
    const auto goes = [this](const auto& item) { return !keeps(item); };
    return std::any_of(found_.sets.begin(), found_.sets.end(), goes) ||
           std::any_of(found_.chains.begin(), found_.chains.end(), goes) ||
           std::any_of(found_.flowtables.begin(), found_.flowtables.end(), goes) ||
           std::any_of(found_.objects.begin(), found_.objects.end(), goes);
  }

  void flush_chains() {
    for (const FoundChain& chain : found_.chains) {
      const Chain* wanted = wanted_chain(chain.name);
      const bool refill = structure_differs_ || !wanted || !same_rules(chain, *wanted);
      if (!refill) {
        filled_.insert(chain.name);
      } else if (!chain.rules.empty()) {
        add(FlushChain{chain.name});
      }
    }
  }

  void remove_elements() {
    for (const FoundSet& set : found_.sets) {
      if (!keeps(set)) {
        // A verdict holds on to its chain until its element goes.
        if (set.declaration.maps == Maps::to_verdict || set.foreign) add(FlushSet{set.declaration.name});
        continue;
      }
      const SetDeclaration& declaration = set.declaration;
      if (declaration.is_alive()) continue;
      const auto& wanted = wanted_set(declaration.name)->elements;
      const bool starts_over = (declaration.interval && set.elements != wanted) ||
                               (structure_differs_ && declaration.maps == Maps::to_verdict && !set.elements.empty());
      if (starts_over) {
        add(FlushSet{declaration.name});
        entering_.push_back({declaration, wanted});
        continue;
      }
      std::vector<Element> leaving, entering;
      std::set_difference(set.elements.begin(), set.elements.end(), wanted.begin(), wanted.end(), std::back_inserter(leaving));
      std::set_difference(wanted.begin(), wanted.end(), set.elements.begin(), set.elements.end(), std::back_inserter(entering));
      if (!leaving.empty()) add(DeleteElements{declaration, std::move(leaving)});
      entering_.push_back({declaration, std::move(entering)});
    }
  }

  void remove_stale() {
    for (const FoundSet& set : found_.sets)
      if (!keeps(set)) add(DeleteSet{set.declaration.name});
    for (const FoundObject& object : found_.objects)
      if (!keeps(object)) add(DeleteObject{object.name, object.type});
    for (const FoundChain& chain : found_.chains)
      if (!keeps(chain)) add(DeleteChain{chain.name});
    for (const FoundFlowtable& one : found_.flowtables) {
      if (!keeps(one)) {
        add(DeleteFlowtable{one.flowtable.name});
        continue;
      }
      auto leaving = without_devices_of(one.flowtable, *wanted_flowtable(one.flowtable.name));
      if (!leaving.devices.empty()) add(DeleteDevices{std::move(leaving)});
    }
  }

  void add_missing() {
    for (const auto& counter : wanted_.counters)
      if (std::none_of(found_.objects.begin(), found_.objects.end(),
                       [&](const FoundObject& object) { return object.name == counter && keeps(object); }))
        add(AddCounter{counter});
    for (const Set& set : wanted_.sets) {
      const FoundSet* found = find_set(found_, set.declaration.name);
      if (found && is_kept(*found, set.declaration)) continue;
      add(AddSet{set.declaration});
      entering_.push_back({set.declaration, set.elements});
      plan_.pins_lost |= set.declaration.keeps_for_a_time();
    }
    for (const Flowtable& flowtable : wanted_.flowtables) {
      const FoundFlowtable* found = find_flowtable(found_, flowtable.name);
      const bool is_there = found && is_kept(*found, flowtable);
      auto entering = is_there ? without_devices_of(flowtable, found->flowtable) : flowtable;
      if (!is_there || !entering.devices.empty()) add(AddFlowtable{std::move(entering)});
    }
    for (const Chain& chain : wanted_.chains) {
      const FoundChain* found = find_chain(found_, chain.name);
      if (!found || !is_kept(*found, chain) || found->hook != chain.hook) add(AddChain{chain.name, chain.hook});
    }
  }

  void add_elements() {
    for (AddElements& entry : entering_)
      if (!entry.elements.empty()) add(std::move(entry));
  }

  void add_rules() {
    for (const Chain& chain : wanted_.chains)
      if (filled_.count(chain.name) == 0)
        for (const Rule& rule : chain.rules) add(AddRule{chain.name, rule});
  }

  const Ruleset& wanted_;
  Found found_;
  Plan plan_;
  bool structure_differs_ = false;
  std::set<std::string> filled_;       ///< chains that hold their rules already
  std::vector<AddElements> entering_;  ///< added once the chains exist that verdicts lead to
};

}  // namespace

Plan reconcile(const Ruleset& wanted, const Found& found) { return Reconciliation(wanted, found).run(); }

}  // namespace schultor::netfilter::planner
