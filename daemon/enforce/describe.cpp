// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/describe.hpp"

#include "daemon/base/version.hpp"
#include "daemon/policy/schedule.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace schultor::enforce {

using nlohmann::json;

namespace {

json to_object(const policy::Policy& policy, const policy::Override& one) {
  return {{"id", one.id},
          {"group", one.group ? json(*one.group) : json(nullptr)},
          {"profile", one.profile},
          {"from", policy::format_local(policy, one.from)},
          {"until", policy::format_local(policy, one.until)},
          {"reason", one.reason},
          {"by", one.by}};
}

json to_object(const policy::Policy& policy, const Refusal& refusal) {
  return {{"at", policy::format_local(policy, std::chrono::floor<std::chrono::seconds>(refusal.at))},
          {"errors", in_short(refusal.errors)}};
}

json to_object(const policy::Policy& policy, const lists::ListStatus& one) {
  return {{"list", one.list},
          {"state", lists::to_string(one.state)},
          {"reason", one.reason},
          {"since", policy::format_local(policy, std::chrono::floor<std::chrono::seconds>(one.since))},
          {"updated", one.updated ? json(policy::format_local(policy, *one.updated)) : json(nullptr)},
          {"entries", one.entries},
          {"from", one.host}};
}

json categories_of(const policy::Policy& policy, const Health& health) {
  if (!health.names_categories) return nullptr;
  const bool in_effect = health.lists_fault.empty();
  return {{"in_effect", in_effect},
          {"compiled", in_effect ? json(policy::format_local(policy, health.compiled)) : json(nullptr)},
          {"error", in_effect ? json(nullptr) : json(health.lists_fault)}};
}

json to_object(const policy::Policy& policy, const QuestionLog& log) {
  return {{"since", policy::format_local(policy, log.since)},
          {"until", policy::format_local(policy, log.until)},
          {"profile", log.profile ? json(*log.profile) : json(nullptr)},
          {"by", log.by}};
}

json ruleset_of(const policy::Policy& policy, const std::optional<KernelTrouble>& trouble) {
  if (!trouble) return {{"in_force", true}};
  return {{"in_force", false},
          {"since", policy::format_local(policy, trouble->since)},
          {"text", trouble->text},
          {"remedy",
           "schultorctl verify says what differs and journalctl -u schultord who changed it: end that program, or start the "
           "machine anew"}};
}

json to_object(const policy::Policy& policy, const KernelHealth& kernel) {
  json settings = nullptr;
  if (kernel.settings_wrong) {
    settings = json::array();
    for (const auto& one : *kernel.settings_wrong) {
      json value = nullptr;
      if (one.found) std::visit([&](const auto& found) { value = found; }, *one.found);
      settings.push_back({{"name", one.name}, {"value", value}, {"expected", one.expected}, {"remedy", one.remedy}});
    }
  }
  json connections = nullptr;
  if (const auto& table = kernel.connections)
    connections = {{"tracked", table->tracked}, {"most", table->most}, {"percent", table->percent()}};
  return {{"settings", settings},
          {"connections", connections},
          {"counters", kernel.counters},
          {"ruleset", ruleset_of(policy, kernel.trouble)}};
}

std::vector<std::string> texts_of(const std::vector<base::Prefix>& prefixes) {
  std::vector<std::string> texts;
  for (const auto& prefix : prefixes) texts.push_back(base::to_string(prefix));
  return texts;
}

json to_object(const policy::Network& network) {
  return {{"management", texts_of(network.management)},
          {"management_ports", network.management_ports},
          {"reachable", texts_of(network.reachable)},
          {"masquerade", network.masquerade}};
}

json cache_of(const policy::Policy& policy, const CacheHealth& health) {
  if (!policy.cache) return nullptr;
  const auto unwell = unwell_origins(policy, health);
  json origins = json::array();
  for (const auto& origin : policy.cache->origins) {
    const auto found = std::find_if(unwell.begin(), unwell.end(), [&](const auto& one) { return one.name == origin.name; });
    const bool well = found == unwell.end();
    origins.push_back({{"name", origin.name}, {"well", well}, {"text", well ? std::string() : found->text}});
  }
  return {{"connected", health.connected}, {"origins", std::move(origins)}};
}

std::string_view to_text(policy::Ownership ownership) {
  return ownership == policy::Ownership::school ? "school" : ownership == policy::Ownership::byod ? "byod" : "staff";
}

}  // namespace

GatewayStatus status_after(const GatewayStatus& before, const policy::Policy& policy, const std::vector<std::size_t>& devices,
                           const Moment& moment, const std::vector<ModeChange>& changes) {
  // What the policy says of the past does not know of overrides that have gone: what was seen here does.
  std::map<std::string, std::pair<std::string, std::optional<policy::Seconds>>> seen;
  for (const auto& group : before.groups) seen[group.name] = {group.profile, group.since};
  for (const auto& change : changes)
    if (!change.previous.empty())
      seen[change.group] = {change.holding.profile, std::chrono::floor<std::chrono::seconds>(change.at)};
  GatewayStatus status{policy.school, policy.revision, {}};
  for (std::size_t i = 0; i < policy.groups.size(); ++i) {
    const auto& group = policy.groups[i];
    const auto& span = moment.spans[i];
    auto since = span.since;
    const auto& [profile, seen_since] = seen[group.name];
    if (profile == span.holding.profile && seen_since && *seen_since <= moment.at && (!since || *since < *seen_since))
      since = seen_since;
    status.groups.push_back({group.name, span.holding.profile, std::string(policy::to_string(span.holding.because)),
                             span.holding.text, since, span.until, std::string(to_text(group.ownership)), devices[i]});
  }
  return status;
}

std::string describe(const policy::Policy& policy, const policy::Override& one) {
  return to_object(policy, one).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string describe(const policy::Policy& policy, const QuestionLog& log) {
  return to_object(policy, log).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string describe(const policy::Policy& policy, const GatewayStatus& status, const Health& health) {
  json groups = json::array();
  for (const auto& group : status.groups)
    groups.push_back({{"name", group.name},
                      {"profile", group.profile},
                      {"because", group.because},
                      {"text", group.text},
                      {"since", group.since ? json(policy::format_local(policy, *group.since)) : json(nullptr)},
                      {"until", group.until ? json(policy::format_local(policy, *group.until)) : json(nullptr)},
                      {"ownership", group.ownership},
                      {"devices", group.devices},
                      {"online", health.online ? json(health.online->at(groups.size())) : json(nullptr)}});
  json overrides = json::array();
  for (const auto& one : health.overrides)
    if (!one.profile.empty()) overrides.push_back(to_object(policy, one));
  json lists = json::array();
  for (const auto& one : health.lists) lists.push_back(to_object(policy, one));
  const auto randomised = std::count_if(policy.devices.begin(), policy.devices.end(),
                                        [](const policy::Device& device) { return (device.mac.octets[0] & 0x02U) != 0; });
  const json document{{"school", status.school},
                      {"version", base::version},
                      {"time", policy::format_local(policy, health.now)},
                      {"policy_revision", status.policy_revision},
                      {"groups", groups},
                      {"overrides", overrides},
                      {"clock", {{"trusted", health.clock_trusted}, {"synchronised", health.clock_synchronised}}},
                      {"randomised_devices", randomised},
                      {"gate",
                       {{"connected", health.gate_connected},
                        {"resolver_answers", health.resolver_answers ? json(*health.resolver_answers) : json(nullptr)},
                        {"question_log", health.question_log ? to_object(policy, *health.question_log) : json(nullptr)}}},
                      {"offload",
                       {{"in_effect", !health.offload.interfaces.empty()},
                        {"interfaces", health.offload.interfaces},
                        {"text", health.offload.text}}},
                      {"network", to_object(policy.network)},
                      {"lists", lists},
                      {"applied", policy::format_local(policy, health.applied)},
                      {"categories", categories_of(policy, health)},
                      {"kernel", to_object(policy, health.kernel)},
                      {"cache", cache_of(policy, health.cache)},
                      {"refused", health.refused ? to_object(policy, *health.refused) : json(nullptr)}};
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string status_line(const policy::Policy& policy, const GatewayStatus& status, bool refused) {
  constexpr std::size_t time_of_day = 11;  // in "2026-11-23T17:00:00+01:00"
  std::string line;
  for (const auto& group : status.groups) {
    line += fmt::format("{}{}: {}", line.empty() ? "" : ", ", group.name, group.profile);
    if (group.until) line += fmt::format(" until {}", policy::format_local(policy, *group.until).substr(time_of_day, 5));
  }
  if (refused) return "the configuration is refused, the last good one holds; " + line;
  return line;
}

}  // namespace schultor::enforce
