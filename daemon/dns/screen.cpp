// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/screen.hpp"

#include "daemon/dns/limits.hpp"
#include "daemon/dns/svcb.hpp"
#include "daemon/policy/address_reach.hpp"
#include "daemon/policy/special_names.hpp"

#include <algorithm>

namespace schultor::dns {
namespace {

using policy::GateRules;
using policy::ProfileNames;
using policy::Reach;
using policy::Verdict;

bool is_local(const GateRules& rules, const Name& name) { return rules.local.best(name.lower_text()).pattern != nullptr; }

/// Collects the addresses that may pass, so many and no more.
class Addresses {
public:
  Addresses(const GateRules& rules, bool local_question) : rules_(rules), local_question_(local_question) {}

  bool may_pass(const Name& owner, const base::Address& address) {
    if (taken_.size() >= limits::addresses) return false;
    const auto reach = policy::reach_of(rules_.lan, address);
    // A name outside must not lead in over one of the school's own.
    if (reach == Reach::nowhere || (reach == Reach::inside && !(local_question_ && is_local(rules_, owner)))) return false;
    taken_.push_back(address);
    return true;
  }
  [[nodiscard]] std::size_t count() const { return taken_.size(); }
  void back_to(std::size_t count) { taken_.resize(count); }
  std::vector<base::Address> take() { return std::move(taken_); }

private:
  const GateRules& rules_;
  bool local_question_;
  std::vector<base::Address> taken_;
};

/// Whether a tablet may ask for `target` itself, and so comes under the target's own rules.
bool may_ask(const Rulebook& book, const ProfileNames& profile, const Name& target) {
  const auto name = target.lower_text();
  if (policy::special_name(book.rules(), name)) return false;
  return policy::judge(book.rules(), profile, name, book.hits_of(name)).verdict == Verdict::allow;
}

/// False when the record is not to be told at all.
bool screen_binding(ServiceBinding& binding, const Record& record, const Rulebook& book, const ProfileNames& profile,
                    const Query& query, Addresses& addresses) {
  if (binding.is_alias()) {
    binding.params.clear();
    return binding.target == Name() || may_ask(book, profile, binding.target);
  }
  const Name& target = binding.target == Name() ? record.owner : binding.target;
  if (!target.same_as(query.name) && !may_ask(book, profile, target)) return false;
  if (profile.listed) {
    // No way to another resolver; and the name under which a connection is made stays readable.
    if (binding.find(svc_key::dohpath) != nullptr || !remove_param(binding, svc_key::ech)) return false;
  }
  return keep_hints(binding, [&](const base::Address& address) { return addresses.may_pass(record.owner, address); });
}

bool is_binding(const Record& record) { return record.type == rr::svcb || record.type == rr::https; }

/// Whether anything changed.
bool screen_bindings(Answer& answer, const Rulebook& book, const ProfileNames& profile, const Query& query, Addresses& addresses) {
  std::vector<Record> kept;
  bool changed = false;
  bool malformed = false;
  for (auto& record : answer.answers) {
    if (!is_binding(record)) {
      kept.push_back(std::move(record));
      continue;
    }
    auto binding = read_service_binding(record);
    malformed = malformed || !binding;
    const auto before = addresses.count();
    if (malformed || !screen_binding(*binding, record, book, profile, query, addresses)) {
      addresses.back_to(before);
      changed = true;
      continue;
    }
    auto data = write_service_binding(*binding);
    changed = changed || data != record.data;
    record.data = std::move(data);
    kept.push_back(std::move(record));
  }
  if (malformed) std::erase_if(kept, is_binding);
  answer.answers = std::move(kept);
  return changed;
}

bool screen_addresses(Answer& answer, Addresses& addresses) {
  return std::erase_if(answer.answers, [&](const Record& record) {
           if (record.type != rr::a && record.type != rr::aaaa) return false;
           const auto address = address_of(record);
           return !address || !addresses.may_pass(record.owner, *address);
         }) > 0;
}

/// The chain's names, the question's left out.
bool chain_passes(const Answer& answer, const Rulebook& book, const ProfileNames& profile) {
  return std::all_of(answer.answers.begin(), answer.answers.end(), [&](const Record& record) {
    const auto target = target_of(record);
    if (!target) return true;
    const auto name = target->lower_text();
    const auto judgement = policy::judge(book.rules(), profile, name, book.hits_of(name));
    return judgement.verdict == Verdict::allow || (profile.listed && judgement.because != "never");
  });
}

}  // namespace

bool tells_addresses(std::uint16_t type) { return type == rr::a || type == rr::aaaa || type == rr::svcb || type == rr::https; }

Screened screen(const Rulebook& book, std::uint32_t view, const Query& query, Answer& answer) {
  const auto& rules = book.rules();
  const auto found = rules.views.find(view);
  if (found == rules.views.end() || found->second.profile >= rules.profiles.size()) return {Outcome::refused, {}};
  const auto& profile = rules.profiles[found->second.profile];
  const auto name = query.name.lower_text();
  const bool of_cloud = rules.cloud.best(name).pattern != nullptr;
  if (!of_cloud && !chain_passes(answer, book, profile)) return {Outcome::refused, {}};

  Addresses addresses(rules, rules.local.best(name).pattern != nullptr);
  bool changed = false;
  const bool had_data = has_type(answer, query.type);
  if (query.type == rr::a || query.type == rr::aaaa) changed = screen_addresses(answer, addresses);
  if (query.type == rr::svcb || query.type == rr::https) changed = screen_bindings(answer, book, profile, query, addresses);
  if (changed) {
    drop_signatures(answer, query.type);
    answer.authentic_data = false;
    if (had_data && !has_type(answer, query.type)) return {Outcome::empty, {}};
  }
  return {Outcome::passes, addresses.take()};
}

}  // namespace schultor::dns
