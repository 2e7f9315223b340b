// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/override_events.hpp"

#include "daemon/policy/schedule.hpp"

#include <date/date.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace schultor::enforce {
namespace {

using nlohmann::json;
using policy::Override;
using policy::Overrides;
using std::chrono::sys_seconds;

std::string utc(sys_seconds at) { return date::format("%FT%TZ", at); }

const Override* with_id(const Overrides& overrides, std::uint64_t id) {
  const auto found = std::find_if(overrides.begin(), overrides.end(), [&](const Override& one) { return one.id == id; });
  return found == overrides.end() ? nullptr : &*found;
}

OverrideEvent event(const Override& one, const std::string& what, const char* result, sys_seconds at, const std::string& by) {
  return {fmt::format("override/{}/{}", one.id, what), result, at, one, by};
}

/// The override for all that a lift takes from its group: the newest one older than it.
const Override* lifted_by(const Overrides& overrides, const Override& lift) {
  const Override* lifted = nullptr;
  for (const auto& one : overrides)
    if (!one.group && !one.profile.empty() && one.id < lift.id) lifted = &one;
  return lifted;
}

bool is_near_its_end(const Override& one, sys_seconds now) {
  return !one.profile.empty() && one.until - one.from > warning_before_end && now >= one.until - warning_before_end &&
         now < one.until;
}

/// Whether its end will change anything for anybody: newer ones may stand before it.
bool holds_to_its_end(const policy::Policy& policy, const Overrides& overrides, const Override& one) {
  return std::any_of(policy.groups.begin(), policy.groups.end(), [&](const policy::Group& group) {
    return policy::override_at(overrides, group.name, one.until - std::chrono::seconds{1}) == &one;
  });
}

OverrideEvent event_of_gone(const Override& one, sys_seconds now, const std::string& by) {
  if (one.until <= now) return event(one, "ended", "ended", one.until, one.by);
  return event(one, "cleared", "cleared", now, by);
}

std::optional<OverrideEvent> event_of_lift(const Overrides& after, const Override& lift, sys_seconds now, const std::string& by) {
  const auto* lifted = lifted_by(after, lift);
  if (lifted == nullptr) return std::nullopt;
  auto for_group = *lifted;
  for_group.group = lift.group;
  return event(for_group, fmt::format("cleared/{}", lift.id), "cleared", now, by);
}

}  // namespace

std::vector<OverrideEvent> override_events(const Overrides& before, const Overrides& after, sys_seconds now,
                                           const std::string& by) {
  std::vector<OverrideEvent> events;
  for (const auto& one : before)
    if (!one.profile.empty() && with_id(after, one.id) == nullptr) events.push_back(event_of_gone(one, now, by));
  for (const auto& one : after) {
    const auto* known = with_id(before, one.id);
    if (one.profile.empty()) {
      if (auto lifted = known == nullptr ? event_of_lift(after, one, now, by) : std::nullopt) events.push_back(std::move(*lifted));
    } else if (known == nullptr) {
      events.push_back(event(one, "set", "set", one.from, by));
    } else if (known->until != one.until) {
      const char* result = one.until < known->until ? "shortened" : "extended";
      events.push_back(event(one, fmt::format("{}/{}", result, utc(one.until)), result, now, by));
    }
  }
  return events;
}

std::vector<OverrideEvent> ending_events(const policy::Policy& policy, const Overrides& overrides, sys_seconds now) {
  std::vector<OverrideEvent> events;
  for (const auto& one : overrides)
    if (is_near_its_end(one, now) && holds_to_its_end(policy, overrides, one))
      events.push_back(event(one, "ending/" + utc(one.until), "ending", one.until - warning_before_end, one.by));
  return events;
}

std::string to_json(const policy::Policy& policy, const OverrideEvent& event) {
  const json object{{"id", event.id},
                    {"kind", "override"},
                    {"at", policy::format_local(policy, event.at)},
                    {"result", event.result},
                    {"group", event.about.group ? json(*event.about.group) : json(nullptr)},
                    {"profile", event.about.profile},
                    {"until", policy::format_local(policy, event.about.until)},
                    {"by", event.by},
                    {"reason", event.about.reason}};
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<policy::Told> told_with(const policy::Policy& policy, std::vector<policy::Told> told,
                                    const std::vector<OverrideEvent>& events, sys_seconds now) {
  constexpr std::chrono::days kept_for{1};
  told.erase(std::remove_if(told.begin(), told.end(), [&](const policy::Told& one) { return one.at + kept_for < now; }),
             told.end());
  for (const auto& event : events)
    if (auto text = to_json(policy, event); text.size() <= policy::longest_told) told.push_back({event.at, std::move(text)});
  if (told.size() > policy::most_told) told.erase(told.begin(), told.end() - policy::most_told);
  return told;
}

std::optional<sys_seconds> next_of(const Overrides& overrides, sys_seconds now) {
  std::optional<sys_seconds> next;
  for (const auto& one : overrides)
    for (const auto instant : {one.until - warning_before_end, one.until})
      if (instant > now && (!next || instant < *next)) next = instant;
  return next;
}

}  // namespace schultor::enforce
