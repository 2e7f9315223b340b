// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile_names.hpp"
#include "daemon/policy/identity_providers.hpp"
#include "daemon/policy/questionable_parts.hpp"

#include <fmt/format.h>

#include <netinet/in.h>

#include <algorithm>
#include <string>

namespace schultor::policy {
namespace {

/// What the box answers on for an origin.
const Ports& kept_ports() {
  static const Ports ports{{IPPROTO_TCP, 80, 80}, {IPPROTO_TCP, 443, 443}};
  return ports;
}

/// Ports beside the web's are not answered by the box, and where the name is steered there is no way to the origin's.
std::string lost_ports(const GateRules& gate, std::string_view host) {
  std::string lost;
  for (const auto& range : ports_of(gate, doors_of(gate, host, {}))) {
    const bool answered = range.protocol == IPPROTO_UDP
                              ? range.first == 443 && range.last == 443
                              : std::find(kept_ports().begin(), kept_ports().end(), range) != kept_ports().end();
    if (!answered) lost += (lost.empty() ? "" : ", ") + base::to_string(range);
  }
  return lost;
}

void question_host(const Examined& examined, const config::Text& written) {
  const auto pattern = parse_pattern(written.value, {});
  if (!pattern) return;
  const std::string_view host = pattern->text;
  if (std::find(sign_in_labels.begin(), sign_in_labels.end(), host.substr(0, host.find('.'))) != sign_in_labels.end())
    examined.out.warning(written.source, fmt::format("“{}” sounds like a place where people sign in, which is nothing to be kept: "
                                                     "expected the names that content comes from",
                                                     host));
  if (is_anyones_to_host(host))
    examined.out.warning(written.source,
                         fmt::format("“{}” is where anyone may host: expected the names that the origin itself has there", host));
  if (const auto lost = lost_ports(examined.policy.gate, host); !lost.empty())
    examined.out.warning(written.source,
                         fmt::format("“{}” is open on {} as well ([cloud]), and tablets that are sent to the cache have only its "
                                     "tcp 80 and 443 there: expected a name of its own for content",
                                     host, lost));
}

}  // namespace

void question_origins(const Examined& examined) {
  const auto& cache = examined.config.gateway.cache;
  const config::Origin* first = nullptr;
  const config::Origin* first_of_school_owned = nullptr;
  for (const auto* list : {&examined.config.city.origins, &examined.config.school.origins})
    for (const auto& origin : *list) {
      if (first == nullptr) first = &origin;
      if (first_of_school_owned == nullptr && !origin.for_all) first_of_school_owned = &origin;
      for (const auto& name : origin.names) question_host(examined, name);
    }
  if (cache && first == nullptr)
    examined.out.warning(cache->source,
                         "[cache] has no effect: there is no [[origin]] in city.toml or school.toml whose content "
                         "could be kept");
  if (!cache && first != nullptr)
    examined.out.warning(first->source, "[[origin]] has no effect: gateway.toml has no [cache], where content would be kept");
  const auto& groups = examined.policy.groups;
  if (cache && first_of_school_owned != nullptr && std::none_of(groups.begin(), groups.end(), steers))
    examined.out.warning(first_of_school_owned->source,
                         "no group but the one with unknown = true has ownership = \"school\", and this origin is kept for such "
                         "groups alone: expected one, or scope = \"all\"");
}

}  // namespace schultor::policy
