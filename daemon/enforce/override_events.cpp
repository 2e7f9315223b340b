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

std::string event(const policy::Policy& policy, const Override& one, const std::string& id, const char* result, sys_seconds at,
                  const std::string& by) {
  const json object{{"id", fmt::format("override/{}/{}", one.id, id)},
                    {"kind", "override"},
                    {"at", policy::format_local(policy, at)},
                    {"result", result},
                    {"group", one.group ? json(*one.group) : json(nullptr)},
                    {"profile", one.profile},
                    {"until", policy::format_local(policy, one.until)},
                    {"by", by.empty() ? one.by : by},
                    {"reason", one.reason}};
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// The override for all that a lift takes from its group: the newest one older than it.
const Override* lifted_by(const Overrides& overrides, const Override& lift) {
  const Override* lifted = nullptr;
  for (const auto& one : overrides)
    if (!one.group && !one.profile.empty() && one.id < lift.id) lifted = &one;
  return lifted;
}

bool is_ending(const Override& one, sys_seconds now) {
  return !one.profile.empty() && one.until - one.from > warning_before_end && now >= one.until - warning_before_end && now < one.until;
}

}  // namespace

std::vector<std::string> override_events(const policy::Policy& policy, const Overrides& before, const Overrides& after, sys_seconds now,
                                         const std::string& by) {
  std::vector<std::string> events;
  for (const auto& one : before) {
    if (one.profile.empty() || with_id(after, one.id) != nullptr) continue;
    if (one.until <= now) events.push_back(event(policy, one, "ended", "ended", one.until, {}));
    else events.push_back(event(policy, one, "cleared", "cleared", now, by));
  }
  for (const auto& one : after) {
    const auto* known = with_id(before, one.id);
    if (one.profile.empty()) {
      if (const auto* lifted = known == nullptr ? lifted_by(after, one) : nullptr) {
        auto for_group = *lifted;
        for_group.group = one.group;
        events.push_back(event(policy, for_group, fmt::format("cleared/{}", one.id), "cleared", now, by));
      }
    } else if (known == nullptr) {
      events.push_back(event(policy, one, "set", "set", one.from, {}));
    } else if (known->until != one.until) {
      events.push_back(event(policy, one, "extended/" + utc(one.until), "extended", now, by));
    }
  }
  return events;
}

std::vector<std::string> ending_events(const policy::Policy& policy, const Overrides& overrides, sys_seconds now) {
  std::vector<std::string> events;
  for (const auto& one : overrides)
    if (is_ending(one, now))
      events.push_back(event(policy, one, "ending/" + utc(one.until), "ending", one.until - warning_before_end, {}));
  return events;
}

std::optional<sys_seconds> next_of(const Overrides& overrides, sys_seconds now) {
  std::optional<sys_seconds> next;
  for (const auto& one : overrides)
    for (const auto instant : {one.until - warning_before_end, one.until})
      if (instant > now && (!next || instant < *next)) next = instant;
  return next;
}

}  // namespace schultor::enforce
