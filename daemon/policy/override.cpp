// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/override.hpp"

#include "daemon/base/text.hpp"
#include "daemon/config/window.hpp"
#include "daemon/policy/schedule.hpp"

#include <date/tz.h>

#include <algorithm>
#include <utility>

namespace schultor::policy {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

std::string group_words(const std::optional<std::string>& group) {
  return group ? fmt::format("group “{}”", *group) : "all groups";
}

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
  return base::is_utf8(text) &&
         std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// "HH:MM", up to 24:00.
std::optional<std::chrono::minutes> parse_time_of_day(std::string_view text) {
  if (text.size() != std::string_view("10:15").size() || text[2] != ':') return std::nullopt;
  std::chrono::minutes::rep numbers[2] = {0, 0};
  for (const std::size_t i : {0U, 1U, 3U, 4U}) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    auto& number = numbers[i / 3];
    number = number * 10 + (text[i] - '0');
  }
  const auto time = std::chrono::hours{numbers[0]} + std::chrono::minutes{numbers[1]};
  if (numbers[1] > 59 || time > std::chrono::hours{24}) return std::nullopt;
  return time;
}

/// The next instant after `now` at which the clock shows that time of day. One that a clock change leaves out is the first instant
/// after the change, and one that it brings twice is there twice.
sys_seconds next_time_of_day(const Policy& policy, std::chrono::minutes time, sys_seconds now) {
  const auto today = date::floor<std::chrono::days>(policy.zone->to_local(now));
  for (auto day = today - std::chrono::days{1};; day += std::chrono::days{1})
    for (const auto which : {date::choose::earliest, date::choose::latest})
      if (const sys_seconds at = policy.zone->to_sys(day + time, which); at > now) return at;
}

base::Result<sys_seconds> parse_end(const Policy& policy, std::string_view text, sys_seconds now) {
  if (const auto span = config::parse_duration(text)) return now + *span;
  if (const auto time = parse_time_of_day(text)) return next_time_of_day(policy, *time, now);
  const auto time = parse_local(policy, text);
  if (!time)
    return base::fail("“{}” is no end: expected a span such as 45m or 1h30m, or a time such as 10:15 or 2026-11-28 10:15", text);
  return *time;
}

base::Result<void> check_end(const Policy& policy, sys_seconds until, sys_seconds now) {
  if (until <= now) return base::fail("{} has passed: give a later end", format_local(policy, until));
  if (until - now <= policy.longest_override) return {};
  const auto& limit = policy.longest_override_source;
  return base::fail(
      "until {} is more than the {} that an override may last ({}): give an earlier end", format_local(policy, until),
      span_text(policy.longest_override),
      limit.line > 0 ? fmt::format("[override] longest, {}:{}", limit.file, limit.line) : "where [override] longest is not given");
}

base::Result<Overrides> with(Overrides overrides, Override added) {
  if (overrides.size() >= most_overrides)
    return base::fail("{} overrides are set already: clear those that are not needed", overrides.size());
  overrides.push_back(std::move(added));
  return overrides;
}

/// What lifts it for a group lifts it to its new end.
void extend(Overrides& overrides, std::size_t index, sys_seconds until) {
  const auto before = std::exchange(overrides[index].until, until);
  if (overrides[index].group) return;
  for (auto later = index + 1; later < overrides.size(); ++later)
    if (auto& lift = overrides[later]; lift.profile.empty() && lift.until >= before) lift.until = std::max(lift.until, until);
}

/// Takes away what cannot hold any more: what is lifted, and lifts of what has gone.
Overrides tidied(Overrides overrides, sys_seconds now) {
  const auto ended = [&](const Override& one) { return one.until <= now; };
  overrides.erase(std::remove_if(overrides.begin(), overrides.end(), ended), overrides.end());
  for (auto lift = overrides.begin(); lift != overrides.end();) {
    const bool needed = !lift->profile.empty() || std::any_of(overrides.begin(), lift, [](const Override& older) {
      return !older.group && !older.profile.empty();
    });
    lift = needed ? lift + 1 : overrides.erase(lift);
  }
  return overrides;
}

}  // namespace

std::string span_text(seconds span) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(span).count();
  if (minutes % 60 == 0) return fmt::format("{} h", minutes / 60);
  return minutes < 60 ? fmt::format("{} min", minutes) : fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

const Override* override_at(const Overrides& overrides, std::string_view group, sys_seconds at) {
  const auto newest = std::find_if(overrides.rbegin(), overrides.rend(), [&](const Override& one) {
    return one.from <= at && at < one.until && (!one.group || *one.group == group);
  });
  return newest == overrides.rend() || newest->profile.empty() ? nullptr : &*newest;
}

base::Result<Overrides> with_override(const Policy& policy, Overrides overrides, const OverrideRequest& request,
                                      std::uint64_t last_id, sys_seconds now) {
  if (auto known = require_group(policy, request.group); !known) return base::pass(std::move(known));
  if (auto known = require_profile(policy, request.profile); !known) return base::pass(std::move(known));
  if (request.reason.size() > longest_reason)
    return base::fail("the reason is longer than {} octets: give a shorter one", longest_reason);
  if (!is_text(request.reason)) return base::fail("the reason holds characters that are no text: give it in one line of UTF-8");
  if (request.by.size() > longest_by || !is_text(request.by))
    return base::fail("the name of who sets it is no text of at most {} octets", longest_by);
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
    extend(overrides, static_cast<std::size_t>(held - overrides.data()), until);
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
  // Nothing of its own, and what is for all is lifted already.
  const auto newest =
      std::find_if(overrides.rbegin(), overrides.rend(), [&](const Override& one) { return !one.group || own(one); });
  if (newest == overrides.rend()) return overrides;
  if (newest->profile.empty() && std::count_if(overrides.begin(), overrides.end(), own) == 1) return overrides;
  overrides.erase(std::remove_if(overrides.begin(), overrides.end(), own), overrides.end());
  auto longest = now;
  for (const auto& one : overrides)
    if (!one.group) longest = std::max(longest, one.until);
  // Beyond most_overrides where need be: there is one for each group at most, and lifting must not fail.
  if (longest > now) overrides.push_back({last_id + 1, group, {}, now, longest, {}, {}});
  return overrides;
}

Overrides pruned(const Policy& policy, Overrides overrides, sys_seconds now) {
  const auto unknown = [&](const Override& one) {
    return (one.group && policy.find_group(*one.group) == nullptr) ||
           (!one.profile.empty() && policy.find_profile(one.profile) == nullptr);
  };
  overrides.erase(std::remove_if(overrides.begin(), overrides.end(), unknown), overrides.end());
  return tidied(std::move(overrides), now);
}

Overrides anchored(const Policy& policy, Overrides overrides, sys_seconds now) {
  auto longest_for_all = now;
  for (auto& one : overrides) {
    const bool is_lift = one.profile.empty();
    if (one.from > now + small_correction) {
      const auto length = std::min<seconds>(one.until - one.from, policy.longest_override);
      one.from = now;
      // A lift goes on as long as what it lifts.
      one.until = is_lift && longest_for_all > now ? longest_for_all : now + length;
    }
    if (!one.group && !is_lift) longest_for_all = std::max(longest_for_all, one.until);
  }
  return overrides;
}

}  // namespace schultor::policy
