// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/decide.hpp"

#include "daemon/dns/limits.hpp"

namespace schultor::dns {
namespace {

/// Types of RFC 6895's range for questions and for what goes with a message: no records of them exist. ANY has its own answer.
bool is_meta(std::uint16_t type) { return type == 0 || type == rr::opt || (type >= 128 && type < rr::any); }

}  // namespace

Decision decide(const policy::GateRules& rules, std::uint32_t view, const Query& query) {
  const auto found = rules.views.find(view);
  if (found == rules.views.end() || found->second.profile >= rules.profiles.size()) return {Action::drop};
  if (query.fault != Rcode::no_error) return {Action::fault};
  if (query.klass != class_in || is_meta(query.type)) return {Action::not_ours};
  const auto& profile = rules.profiles[found->second.profile];
  const auto name = query.name.lower_text();
  if (policy::judge(rules, profile, name).verdict == policy::Verdict::refuse)
    return {policy::allowed_below(rules, profile, name) ? Action::no_data : Action::nx_domain};
  // Their address hints would reach the tablet without being pinned; without the record it asks for A and AAAA alone.
  if (query.type == rr::https || query.type == rr::svcb) return {Action::no_type};
  if (query.type == rr::any) return {Action::any};
  return {Action::ask, policy::doors_of(rules, name)};
}

Answer answer_to(Action action, const Query& query) {
  switch (action) {
    case Action::fault:
      return failure(query.fault);
    case Action::not_ours:
      return failure(Rcode::not_implemented);
    case Action::nx_domain:
      return refusal(query, Rcode::nx_domain, Ede::filtered, limits::refusal_ttl);
    case Action::no_data:
      return refusal(query, Rcode::no_error, Ede::filtered, limits::refusal_ttl);
    case Action::no_type:
      return refusal(query, Rcode::no_error, std::nullopt, limits::negative_ttl_cap);
    case Action::any:
      return minimal_any(query);
    case Action::drop:
    case Action::ask:
      break;
  }
  return failure(Rcode::server_failure);
}

}  // namespace schultor::dns
