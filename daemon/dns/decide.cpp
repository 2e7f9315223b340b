// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/decide.hpp"

#include "daemon/dns/limits.hpp"

#include <optional>
#include <string>

namespace schultor::dns {
namespace {

using policy::Special;

/// Types of RFC 6895's range for questions and for what goes with a message: no records of them exist. ANY has its own answer.
bool is_meta(std::uint16_t type) { return type == 0 || type == rr::opt || (type >= 128 && type < rr::any); }

/// What a validating client asks of the names above an allowed one: keys and digests, nothing that leads anywhere.
bool is_chain_of_trust(std::uint16_t type) { return type == rr::ds || type == rr::dnskey; }

bool is_of_hosts(std::uint16_t type) { return type == rr::a || type == rr::aaaa || type == rr::https; }

/// Types that tell where a name is reached.
bool leads_there(std::uint16_t type) { return is_of_hosts(type) || type == rr::svcb; }

/// None for a single label: whether it may be known is for the profile to say.
std::optional<Decision> decide_special(const policy::GateRules& rules, const std::string& name) {
  const auto special = policy::special_name(rules, name);
  if (!special || special->kind == Special::unqualified) return std::nullopt;
  if (special->kind == Special::absent) return Decision{Action::absent};
  return Decision{Action::own, 0, {}, special->kind};
}

Decision refuse(const policy::GateRules& rules, const policy::ProfileNames& profile, const std::string& name,
                const lists::Hits& hits, std::uint16_t type) {
  if (!policy::allowed_below(rules, profile, name, hits)) return {Action::nx_domain};
  return is_chain_of_trust(type) ? Decision{Action::ask} : Decision{Action::no_data};
}

bool is_single_label(std::string_view name) { return name.find('.') == std::string_view::npos; }

Record record_of(const Query& query, std::uint16_t type, ByteView data, std::chrono::seconds ttl = limits::ttl_cap) {
  return {query.name, type, static_cast<std::uint32_t>(ttl.count()), Bytes(data.begin(), data.end())};
}

void add_address(Answer& answer, const Query& query, const base::Address& address, std::chrono::seconds ttl = limits::ttl_cap) {
  const auto type = address.family == base::Family::ipv4 ? rr::a : rr::aaaa;
  if (query.type == type) answer.answers.push_back(record_of(query, type, address.bytes(), ttl));
}

/// Positive where the name has what is asked for, else NODATA.
Answer own_answer(Special special, const policy::GateRules& rules, const Query& query) {
  Answer answer;
  if (special == Special::gateway) {
    for (const auto& own : rules.lan) add_address(answer, query, own.address);
  } else if (special == Special::loopback) {
    add_address(answer, query, {base::Family::ipv4, {127, 0, 0, 1}});
    add_address(answer, query, {base::Family::ipv6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}});
  } else if (special == Special::gateway_host && query.type == rr::ptr) {
    answer.answers.push_back(record_of(query, rr::ptr, name_from_text(policy::gateway_name).value_or(Name()).wire()));
  }
  return answer.answers.empty() ? refusal(query, Rcode::no_error, std::nullopt, limits::negative_ttl_cap) : answer;
}

/// All of the box's addresses, whatever network asks: a client takes one that it has a route to.
Answer steered_answer(const policy::GateRules& rules, const Query& query) {
  Answer answer;
  for (const auto& own : rules.lan) add_address(answer, query, own.address, limits::steered_ttl);
  return answer.answers.empty() ? refusal(query, Rcode::no_error, std::nullopt, limits::steered_ttl) : answer;
}

}  // namespace

Decision decide(const Rulebook& book, std::uint32_t view, const Query& query, std::uint64_t well) {
  const auto& rules = book.rules();
  const auto found = rules.views.find(view);
  if (found == rules.views.end() || found->second.profile >= rules.profiles.size()) return {Action::drop};
  if (query.fault != Rcode::no_error) return {Action::fault};
  if (query.klass != class_in || is_meta(query.type)) return {Action::not_ours};
  const auto& profile = rules.profiles[found->second.profile];
  const auto name = query.name.lower_text();
  if (const auto special = decide_special(rules, name)) return *special;
  const auto hits = book.hits_of(name);
  const auto judgement = policy::judge(rules, profile, name, hits);
  if (judgement.verdict == policy::Verdict::refuse) return refuse(rules, profile, name, hits, query.type);
  if (query.type == rr::any) return {Action::any};
  const auto* kept = leads_there(query.type) ? policy::steered_host(rules, found->second.steer, judgement, name) : nullptr;
  if (kept != nullptr && (well >> kept->origin & 1U) != 0) return {Action::steered};
  if (is_single_label(name) && rules.local.best(name).pattern == nullptr)
    return is_chain_of_trust(query.type) ? Decision{Action::ask} : Decision{Action::no_type};
  const auto in_place = policy::rewrite_of(profile, judgement, name);
  if (!in_place.empty() && !is_of_hosts(query.type)) return {Action::no_type};
  return {Action::ask, policy::doors_of(rules, name, hits, in_place), in_place, Special::empty, kept != nullptr};
}

Answer answer_to(const Decision& decision, const policy::GateRules& rules, const Query& query) {
  switch (decision.action) {
    case Action::fault:
      return failure(query.fault);
    case Action::not_ours:
      return failure(Rcode::not_implemented);
    case Action::nx_domain:
      return refusal(query, Rcode::nx_domain, Ede::filtered, limits::refusal_ttl);
    case Action::no_data:
      return refusal(query, Rcode::no_error, Ede::filtered, limits::refusal_ttl);
    case Action::no_type:
      return refusal(query, Rcode::no_error, std::nullopt, limits::refusal_ttl);
    case Action::absent:
      return refusal(query, Rcode::nx_domain, std::nullopt, limits::negative_ttl_cap);
    case Action::own:
      return own_answer(decision.special, rules, query);
    case Action::steered:
      return steered_answer(rules, query);
    case Action::any:
      return minimal_any(query);
    case Action::drop:
    case Action::ask:
      break;
  }
  return failure(Rcode::server_failure);
}

}  // namespace schultor::dns
