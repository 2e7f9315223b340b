// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/list_events.hpp"

#include "daemon/enforce/events.hpp"

#include <nlohmann/json.hpp>

namespace schultor::enforce {
namespace {

using nlohmann::json;

ListEvent event(const policy::Policy& policy, const std::string& what, const char* result, base::Instant at,
                const std::string& text, const json& more = json::object()) {
  auto object = json{{"id", fmt::format("{}/{}/{}", what, result, instant_in_id(at))},
                     {"kind", "lists"},
                     {"at", policy::format_local(policy, std::chrono::floor<std::chrono::seconds>(at))},
                     {"result", result},
                     {"text", text}};
  object.update(more);
  return {object["id"], at, object.dump(-1, ' ', false, json::error_handler_t::replace)};
}

ListEvent event_of(const policy::Policy& policy, const lists::ListStatus& one) {
  const auto tell = [&](const char* result, const std::string& text) {
    return event(policy, "lists/" + one.list, result, one.since, text, {{"list", one.list}});
  };
  switch (one.state) {
    case lists::UpdateState::ok:
      return tell("updated", fmt::format("list {} from {}: {} entries", one.list, one.host, one.entries));
    case lists::UpdateState::held:
      return tell("held", fmt::format("list {} from {} is held back: {}; “schultorctl lists update --force {}” takes it", one.list,
                                      one.host, one.reason, one.list));
    case lists::UpdateState::failed:
      break;
  }
  return tell("failed", fmt::format("list {} from {} was not updated: {}", one.list, one.host, one.reason));
}

}  // namespace

std::vector<ListEvent> list_events(const policy::Policy& policy, const lists::UpdateStatus& status) {
  std::vector<ListEvent> events;
  for (const auto& one : status.lists) events.push_back(event_of(policy, one));
  if (!status.table_fault.empty())
    events.push_back(event(policy, "lists", "failed", status.table_since,
                           fmt::format("the block lists could not be compiled: {}", status.table_fault)));
  return events;
}

}  // namespace schultor::enforce
