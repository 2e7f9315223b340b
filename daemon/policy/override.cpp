// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/override.hpp"

#include "daemon/config/file_readers.hpp"
#include "daemon/config/window.hpp"
#include "daemon/policy/schedule.hpp"

#include <date/tz.h>

#include <algorithm>
#include <utility>

namespace schultor::policy {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

std::string group_words(const std::optional<std::string>& group) { return group ? fmt::format("group “{}”", *group) : "all groups"; }

base::Result<void> require_group(const Policy& policy, const std::optional<std::string>& group) {
  if (!group || policy.find_group(*group) != nullptr) return {};
  std::vector<std::string_view> known;
  for (const auto& one : policy.groups) known.push_back(one.name);
  return base::fail("there is no group “{}”{}", *group, config::suggestion(*group, known));
}

base::Result<void> require_profile(const Policy& policy, const std::string& profile) {
  if (policy.find_profile(profile) != nullptr) return {};
  std::vector<std::string_view> known;
  for (const auto& one : policy.gate.profiles) known.push_back(one.name);
  return base::fail("there is no profile “{}”{}", profile, config::suggestion(profile, known));
}

bool is_text(std::string_view text) {
  return config::is_utf8(text) &&
         std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string hours(seconds span) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(span).count();
  if (minutes % 60 == 0) return fmt::format("{} h", minutes / 60);
  return minutes < 60 ? fmt::format("{} min", minutes) : fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

/// The next instant after `now` at which the clock shows "HH:MM"; none where the text is no time of day.
std::optional<sys_seconds> next_time_of_day(const Policy& policy, std::string_view text, sys_seconds now) {
  const auto today = format_local(policy, now).substr(0, std::string_view("2026-11-24").size());
  const auto date = config::parse_date(today);
  if (text.size() != std::string_view("10:15").size() || !date) return std::nullopt;
  // An hour that a clock change leaves out, or a time that has passed: the same time on the day after.
  for (const int later : {0, 1}) {
    const auto day = date::format("%F", *date + date::days{later});
    const auto at = parse_local(policy, fmt::format("{} {}", day, text));
    if (!at) return std::nullopt;
    if (*at > now) return *at;
  }
  return std::nullopt;
}

base::Result<sys_seconds> parse_end(const Policy& policy, std::string_view text, sys_seconds now) {
  if (const auto span = config::parse_duration(text)) return now + *span;
  if (const auto time = next_time_of_day(policy, text, now)) return *time;
  const auto time = parse_local(policy, text);
  if (!time) return base::fail("“{}” is no end: expected a span such as 45m or 1h30m, or a time such as 10:15 or 2026-11-28 10:15", text);
  return *time;
}

base::Result<void> check_end(const Policy& policy, sys_seconds until, sys_seconds now) {
  if (until <= now) return base::fail("{} has passed: give a later end", format_local(policy, until));
  if (until - now <= policy.longest_override) return {};
  const auto& limit = policy.longest_override_source;
  return base::fail("until {} is more than the {} that an override may last ({}): give an earlier end", format_local(policy, until),
                    hours(policy.longest_override),
                    limit.line > 0 ? fmt::format("[override] longest, {}:{}", limit.file, limit.line) : "where [override] longest is not given");
}

base::Result<Overrides> with(Overrides overrides, Override added) {
  if (overrides.size() >= most_overrides)
    return base::fail("{} overrides are set already: clear those that are not needed", overrides.size());
  overrides.push_back(std::move(added));
  return overrides;
}

/// Takes away what cannot hold any more: what is lifted, and lifts of what has gone.
Overrides tidied(Overrides overrides, sys_seconds now) {
  const auto ended = [&](const Override& one) { return one.until <= now; };
  overrides.erase(std::remove_if(overrides.begin(), overrides.end(), ended), overrides.end());
  for (auto lift = overrides.begin(); lift != overrides.end();) {
    const bool needed = !lift->profile.empty() ||
                        std::any_of(overrides.begin(), lift, [](const Override& older) { return !older.group && !older.profile.empty(); });
    lift = needed ? lift + 1 : overrides.erase(lift);
  }
  return overrides;
}

}  // namespace

const Override* override_at(const Overrides& overrides, std::string_view group, sys_seconds at) {
  const auto newest = std::find_if(overrides.rbegin(), overrides.rend(), [&](const Override& one) {
    return one.from <= at && at < one.until && (!one.group || *one.group == group);
  });
  return newest == overrides.rend() || newest->profile.empty() ? nullptr : &*newest;
}

base::Result<Overrides> with_override(const Policy& policy, Overrides overrides, const OverrideRequest& request, std::uint64_t last_id,
                                      sys_seconds now) {
  if (auto known = require_group(policy, request.group); !known) return base::pass(std::move(known));
  if (auto known = require_profile(policy, request.profile); !known) return base::pass(std::move(known));
  if (request.reason.size() > longest_reason)
    return base::fail("the reason is longer than {} octets: give a shorter one", longest_reason);
  if (!is_text(request.reason)) return base::fail("the reason holds characters that are no text: give it in one line of UTF-8");
  const auto until = parse_end(policy, request.end, now);
  if (!until) return base::pass(base::Result<sys_seconds>(until));
  if (auto fits = check_end(policy, *until, now); !fits) return base::pass(std::move(fits));
  return with(tidied(std::move(overrides), now),
              {last_id + 1, request.group, request.profile, now, *until, request.reason, request.by});
}

base::Result<Overrides> extended(const Policy& policy, Overrides overrides, const std::optional<std::string>& group,
                                 std::string_view span, std::uint64_t last_id, sys_seconds now) {
  if (auto known = require_group(policy, group); !known) return base::pass(std::move(known));
  const auto more = config::parse_duration(span);
  if (!more) return base::fail("“{}” is no span of time: expected one such as 15m or 1h30m", span);
  overrides = tidied(std::move(overrides), now);
  const auto* held = group ? override_at(overrides, *group, now) : nullptr;
  if (!group)
    for (const auto& one : overrides)
      if (!one.group && one.from <= now && !one.profile.empty()) held = &one;
  if (held == nullptr) return base::fail("no override holds for {}: set one with --profile and --for", group_words(group));
  const auto until = held->until + *more;
  if (auto fits = check_end(policy, until, now); !fits) return base::pass(std::move(fits));
  if (held->group == group) {
    overrides[static_cast<std::size_t>(held - overrides.data())].until = until;
    return overrides;
  }
  auto own = *held;
  own.id = last_id + 1;
  own.group = group;
  own.from = now;
  own.until = until;
  return with(std::move(overrides), std::move(own));
}

base::Result<Overrides> cleared(const Policy& policy, Overrides overrides, const std::optional<std::string>& group,
                                std::uint64_t last_id, sys_seconds now) {
  if (auto known = require_group(policy, group); !known) return base::pass(std::move(known));
  if (!group) return Overrides{};
  overrides = tidied(std::move(overrides), now);
  const auto own = [&](const Override& one) { return one.group == group; };
  overrides.erase(std::remove_if(overrides.begin(), overrides.end(), own), overrides.end());
  auto longest = now;
  for (const auto& one : overrides)
    if (!one.group) longest = std::max(longest, one.until);
  if (longest == now) return overrides;
  return with(std::move(overrides), {last_id + 1, group, {}, now, longest, {}, {}});
}

Overrides pruned(const Policy& policy, Overrides overrides, sys_seconds now) {
  const auto unknown = [&](const Override& one) {
    return (one.group && policy.find_group(*one.group) == nullptr) ||
           (!one.profile.empty() && policy.find_profile(one.profile) == nullptr);
  };
  overrides.erase(std::remove_if(overrides.begin(), overrides.end(), unknown), overrides.end());
  return tidied(std::move(overrides), now);
}

}  // namespace schultor::policy
