// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "netfilter/planner/differences.hpp"

#include "daemon/base/text.hpp"

#include <fmt/format.h>

#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <iterator>

namespace schultor::netfilter::planner {
namespace {

using namespace model;

/// Of the elements of one set; of more it is said how many there are.
constexpr std::size_t most_elements = 20;

std::string named(const SetDeclaration& set) { return fmt::format("{} {}", set.maps == Maps::nothing ? "set" : "map", set.name); }

class Comparison {
public:
  Comparison(const Ruleset& wanted, const Found& found) : wanted_(wanted), found_(found) {}

  std::vector<std::string> run() {
    if (!found_.exists) return {fmt::format("table inet {} is missing", wanted_.table)};
    if ((found_.flags & NFT_TABLE_F_DORMANT) != 0) say("table inet {} is dormant: it enforces nothing", wanted_.table);
    for (const auto& set : wanted_.sets) compare(set);
    for (const auto& counter : wanted_.counters)
      if (!has(found_.objects, [&](const auto& one) { return one.name == counter && one.type == NFT_OBJECT_COUNTER; }))
        say("counter {} is missing", counter);
    for (const auto& flowtable : wanted_.flowtables) compare(flowtable);
    for (const auto& chain : wanted_.chains) compare(chain);
    find_strangers();
    return std::move(lines_);
  }

private:
  template <typename... Arguments>
  void say(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    // Names that others gave may hold anything.
    lines_.push_back(base::printable(fmt::format(format, std::forward<Arguments>(arguments)...)));
  }
  template <typename Items, typename Is>
  static bool has(const Items& items, Is is) {
    return std::any_of(items.begin(), items.end(), is);
  }

  void compare(const Set& wanted) {
    const auto& declaration = wanted.declaration;
    const auto at = std::find_if(found_.sets.begin(), found_.sets.end(),
                                 [&](const FoundSet& one) { return one.declaration.name == declaration.name; });
    if (at == found_.sets.end()) return say("{} is missing", named(declaration));
    if (at->foreign || at->declaration != declaration) return say("{} is declared otherwise", named(declaration));
    if (declaration.is_alive()) return;
    compare(declaration, wanted.elements, at->elements, "is missing");
    compare(declaration, at->elements, wanted.elements, "is not ours");
  }

  void compare(const SetDeclaration& declaration, const std::vector<Element>& there, const std::vector<Element>& here,
               std::string_view what) {
    std::vector<Element> more;
    std::set_difference(there.begin(), there.end(), here.begin(), here.end(), std::back_inserter(more));
    for (std::size_t i = 0; i < std::min(more.size(), most_elements); ++i)
      say("element {} of {} {}", model::to_string(more[i]), named(declaration), what);
    if (more.size() > most_elements)
      say("the same goes for {} more elements of {}", more.size() - most_elements, named(declaration));
  }

  void compare(const Flowtable& wanted) {
    const auto at = std::find_if(found_.flowtables.begin(), found_.flowtables.end(),
                                 [&](const FoundFlowtable& one) { return one.flowtable.name == wanted.name; });
    if (at == found_.flowtables.end()) return say("flowtable {} is missing", wanted.name);
    if (at->foreign || at->flowtable.priority != wanted.priority) return say("flowtable {} is declared otherwise", wanted.name);
    const auto& found = at->flowtable.devices;
    for (const auto& device : wanted.devices)
      if (!has(found, [&](const auto& one) { return one == device; })) say("flowtable {} lacks interface {}", wanted.name, device);
    for (const auto& device : found)
      if (!has(wanted.devices, [&](const auto& one) { return one == device; }))
        say("flowtable {} has interface {}, which is not ours", wanted.name, device);
  }

  void compare(const Chain& wanted) {
    const auto at =
        std::find_if(found_.chains.begin(), found_.chains.end(), [&](const FoundChain& one) { return one.name == wanted.name; });
    if (at == found_.chains.end()) return say("chain {} is missing", wanted.name);
    if (at->foreign || at->hook != wanted.hook) return say("chain {} has another hook, priority or policy", wanted.name);
    std::vector<Program> programs;
    std::transform(wanted.rules.begin(), wanted.rules.end(), std::back_inserter(programs), lower);
    if (programs == at->rules) return;
    const auto before = lines_.size();
    for (std::size_t i = 0; i < programs.size(); ++i)
      if (!has(at->rules, [&](const Program& one) { return one == programs[i]; }))
        say("chain {} lacks the rule: {}", wanted.name, model::to_string(wanted.rules[i]));
    const auto strange = std::count_if(at->rules.begin(), at->rules.end(), [&](const Program& one) {
      return !has(programs, [&](const Program& own) { return own == one; });
    });
    if (strange > 0)
      say("chain {} has {} that {} not ours", wanted.name, strange == 1 ? "a rule" : fmt::format("{} rules", strange),
          strange == 1 ? "is" : "are");
    if (lines_.size() == before) say("chain {} has its rules in another order, or twice", wanted.name);
  }

  void find_strangers() {
    for (const auto& set : found_.sets)
      if (!has(wanted_.sets, [&](const Set& one) { return one.declaration.name == set.declaration.name; }))
        say("{} is not ours", named(set.declaration));
    for (const auto& object : found_.objects)
      if (object.type != NFT_OBJECT_COUNTER || !has(wanted_.counters, [&](const auto& one) { return one == object.name; }))
        say("object {} is not ours", object.name);
    for (const auto& one : found_.flowtables)
      if (!has(wanted_.flowtables, [&](const Flowtable& wanted) { return wanted.name == one.flowtable.name; }))
        say("flowtable {} is not ours", one.flowtable.name);
    for (const auto& chain : found_.chains)
      if (!has(wanted_.chains, [&](const Chain& one) { return one.name == chain.name; })) say("chain {} is not ours", chain.name);
  }

  const Ruleset& wanted_;
  const Found& found_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> differences(const Ruleset& wanted, const Found& found) { return Comparison(wanted, found).run(); }

}  // namespace schultor::netfilter::planner
