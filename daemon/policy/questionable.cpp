// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/questionable.hpp"

#include "daemon/policy/questionable_parts.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace schultor::policy {
namespace {

constexpr std::chrono::hours longest_sensible_override{24};

bool is_open(const Policy& policy, std::string_view profile) {
  const auto* found = policy.find_profile(profile);
  return found != nullptr && !found->listed;
}

void question_more(const config::Text& entry, const std::string& profile, config::Diagnostics& out) {
  out.warning(entry.source,
              fmt::format("“{0}” is open in profile “{1}” as well, and who sets “{1}” counts on the cloud alone: remove "
                          "it here, or allow it in a profile of another name",
                          entry.value, profile));
}

/// A profile of the school's own that nothing names.
void question_profiles(const Examined& examined) {
  std::set<std::string_view> named;
  for (const auto& schedule : examined.policy.schedules) named.insert({schedule.during, schedule.otherwise, schedule.holidays});
  for (const auto& group : examined.policy.groups) named.insert(group.fixed_profile);
  named.insert(examined.policy.untrusted);
  for (const auto& profile : examined.config.school.profiles)
    if (!named.contains(profile.name.value))
      examined.out.warning(profile.name.source,
                           fmt::format("profile “{}”: no schedule and no group names it, so that only an override brings it about: "
                                       "name it where it is to hold, or remove it",
                                       profile.name.value));
}

/// Whoever sets one of these for a class counts on there being nothing but the cloud. Another name says what else is meant.
void question_built_in(const Examined& examined) {
  const auto is_built_in = [](const config::Text& name) {
    return std::find(built_in_profiles.begin(), built_in_profiles.end(), name.value) != built_in_profiles.end();
  };
  for (const auto& profile : examined.config.city.profiles) {
    if (!is_built_in(profile.name)) continue;
    if (profile.access == config::Access::open)
      examined.out.warning(profile.name.source, fmt::format("profile “{0}” is open, and who sets “{0}” counts on the cloud alone: "
                                                            "expected access = \"listed\", or another name",
                                                            profile.name.value));
    else if (!profile.allow.empty()) question_more(profile.allow.front(), profile.name.value, examined.out);
  }
  for (const auto& extension : examined.config.school.extensions)
    if (is_built_in(extension.profile) && !extension.allow.empty())
      question_more(extension.allow.front(), extension.profile.value, examined.out);
}

/// The city's ones are an offer; what is the school's own is meant to be used.
void question_schedules(const Examined& examined) {
  for (const auto& schedule : examined.config.school.schedules)
    if (const auto* compiled = examined.find_schedule(schedule.name.value); compiled != nullptr && !examined.is_followed(*compiled))
      examined.out.warning(
          schedule.name.source,
          fmt::format("schedule “{}”: no group follows it: name it in a [[group]], or remove it", schedule.name.value));
  for (const auto* list : {&examined.config.city.schedules, &examined.config.school.schedules})
    for (const auto& schedule : *list)
      if (!schedule.windows.empty() && schedule.during.value == schedule.otherwise.value)
        examined.out.warning(schedule.otherwise.source,
                             fmt::format("schedule “{}”: profile “{}” holds within its windows and outside of them: name another "
                                         "one, or leave the windows out",
                                         schedule.name.value, schedule.otherwise.value));
}

void question_groups(const Examined& examined) {
  const auto& groups = examined.config.school.groups;
  std::vector<bool> has_devices(groups.size());
  for (const auto& device : examined.policy.devices) has_devices[device.group] = true;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto& group = groups[i];
    if (group.unknown || !group.prefixes.empty() || !group.interfaces.empty() || has_devices[i]) continue;
    examined.out.warning(group.name.source, fmt::format("group “{}”: no device is ever in it, since roster.csv has none for it and "
                                                        "it has neither prefixes nor interfaces: add its devices, or remove it",
                                                        group.name.value));
  }
}

/// A new random address must be no way out of school hours; whoever means it otherwise says so.
void question_unknown_group(const Examined& examined) {
  const bool hours = std::any_of(examined.policy.groups.begin(), examined.policy.groups.end(), [&](const Group& group) {
    return group.ownership == Ownership::school && group.schedule &&
           !is_open(examined.policy, examined.policy.schedules[*group.schedule].during);
  });
  for (const auto& group : examined.config.school.groups)
    if (hours && group.unknown && group.strictest && group.profile && is_open(examined.policy, group.profile->value))
      examined.out.warning(group.profile->source,
                           fmt::format("group “{}”: a tablet that takes a new random address is in this group, and profile “{}” is "
                                       "open in school hours as well: name a schedule, or say strictest = false if that is meant",
                                       group.name.value, group.profile->value));
}

void question_clock(const Examined& examined) {
  const auto& untrusted = examined.config.gateway.untrusted_profile;
  if (untrusted && is_open(examined.policy, untrusted->value))
    examined.out.warning(
        untrusted->source,
        fmt::format("[clock] untrusted: profile “{}” is open, so that a gateway which has lost the time opens: name "
                    "a listed one, or leave it out for what holds in school hours",
                    untrusted->value));
}

/// A school cannot go beyond what the city says.
void question_overrides(const Examined& examined) {
  const auto& longest = examined.config.city.overrides.longest;
  if (longest && longest->value > longest_sensible_override)
    examined.out.warning(longest->source,
                         fmt::format("an override may last longer than a day here, and one that is forgotten lasts as "
                                     "long: expected at most {}h",
                                     longest_sensible_override.count()));
}

}  // namespace

const Schedule* Examined::find_schedule(std::string_view name) const {
  const auto found =
      std::find_if(policy.schedules.begin(), policy.schedules.end(), [&](const Schedule& one) { return one.name == name; });
  return found == policy.schedules.end() ? nullptr : &*found;
}

bool Examined::is_followed(const Schedule& schedule) const {
  return std::any_of(policy.groups.begin(), policy.groups.end(),
                     [&](const Group& group) { return group.schedule && &policy.schedules[*group.schedule] == &schedule; });
}

std::vector<config::Diagnostic> questionable(const config::Config& config, const Policy& policy, std::optional<Seconds> now) {
  config::Diagnostics out;
  Examined examined{config, policy, std::nullopt, out};
  if (now) examined.today = date::floor<std::chrono::days>(policy.zone->to_local(*now));
  question_profiles(examined);
  question_built_in(examined);
  question_schedules(examined);
  question_groups(examined);
  question_unknown_group(examined);
  question_clock(examined);
  question_overrides(examined);
  question_origins(examined);
  question_names(examined);
  question_networks(examined);
  question_times(examined);
  return std::move(out).take();
}

void add_questionable(LoadedPolicy& loaded, std::optional<Seconds> now) {
  if (!loaded.policy || !loaded.config) return;
  config::Diagnostics both;
  both.append(std::move(loaded.diagnostics));
  both.append(questionable(*loaded.config, *loaded.policy, now));
  loaded.diagnostics = std::move(both).take();
}

}  // namespace schultor::policy
