// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile.hpp"

#include "daemon/policy/bypass_names.hpp"
#include "daemon/policy/bypass_networks.hpp"
#include "daemon/policy/compile_cloud.hpp"
#include "daemon/policy/compile_groups.hpp"
#include "daemon/policy/compile_names.hpp"
#include "daemon/policy/compile_network.hpp"
#include "daemon/policy/compile_origins.hpp"
#include "daemon/policy/compile_schedules.hpp"
#include "daemon/policy/services.hpp"

#include <date/tz.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

namespace schultor::policy {
namespace {

using config::Diagnostics;
using config::Text;

constexpr std::size_t most_groups = 1000;
constexpr std::chrono::hours longest_override_unless_said{24};

Source place_of(const config::Source& source) { return {source.file, source.line}; }

/// Turns one configuration into a policy; faults go to the diagnostics.
class Compiler {
public:
  Compiler(const config::Config& config, const config::Unread& unread, Diagnostics& out)
      : config_(config), unread_(unread), out_(out) {}

  Policy run() {
    policy_.school = config_.gateway.school.value;
    policy_.revision = config_.city.revision.value;
    policy_.bypass = config_.city.bypass.value;
    find_zone();
    compile_cloud(config_.city, policy_, out_);
    compile_never();
    policy_.gate.local = compile_names(config_.gateway.local_zones, out_);
    for (const auto& address : config_.gateway.lan_addresses) policy_.gate.lan.push_back(address.value);
    policy_.network = compile_network(config_.gateway, out_);
    compile_origins(config_, unread_, policy_, out_);
    for (const auto& profile : config_.city.profiles) add_profile(profile, true);
    for (const auto name : built_in_profiles)
      if (!profiles_.contains(std::string(name)))
        add_profile({{std::string(name), {"built-in", 0, 0}}, config::Access::listed, {}, {}, {}, {}, {}}, true);
    for (const auto& profile : config_.school.profiles) add_profile(profile, false);
    check_profiles();
    for (const auto& schedule : config_.city.schedules) add_schedule(schedule, true);
    for (const auto& schedule : config_.school.schedules) add_schedule(schedule, false);
    check_days_of_school();
    limit_overrides();
    if (const auto& untrusted = config_.gateway.untrusted_profile) {
      require_profile(*untrusted, false);
      policy_.untrusted = untrusted->value;
      policy_.untrusted_source = place_of(untrusted->source);
    }
    decide_on_stop();
    if (config_.school.groups.size() > most_groups)
      out_.error(config_.school.groups[most_groups].name.source, fmt::format("more than {} groups", most_groups));
    for (const auto& group : config_.school.groups) add_group(group);
    check_groups(config_, unread_, out_);
    add_devices();
    return std::move(policy_);
  }

private:
  void decide_on_stop() {
    policy_.on_stop_source = {"built-in", 0};
    const auto& on_stop = config_.gateway.on_stop;
    if (!on_stop) return;
    policy_.opens_on_stop = on_stop->value == config::OnStop::open;
    policy_.on_stop_source = place_of(on_stop->source);
    const auto is_open = [](const config::Profile& profile) { return profile.access == config::Access::open; };
    if (policy_.opens_on_stop && !unread_.city && std::none_of(config_.city.profiles.begin(), config_.city.profiles.end(), is_open))
      out_.error(on_stop->source, "on_stop is “open”, and the city has no open profile: expected “hold”");
  }
  void find_zone() {
    const auto& name = config_.gateway.timezone;
    policy_.timezone = name.value;
    if (name.value.empty()) {
      if (unread_.gateway) return;
      // In the reader's words, so that it is said once.
      out_.error({"gateway.toml", 1, 1}, "timezone is missing, expected a name of the tz database such as \"Europe/Berlin\"");
      return;
    }
    try {
      policy_.zone = date::locate_zone(name.value);
    } catch (const std::exception&) {
      out_.error(name.source,
                 fmt::format("time zone “{}” is not in the tz database of this machine{}", name.value, suggest_zone(name.value)));
    }
  }

  static std::string suggest_zone(const std::string& name) {
    std::vector<std::string_view> known;
    try {
      for (const auto& zone : date::get_tzdb().zones) known.push_back(zone.name());
    } catch (const std::exception&) {
      return ": install the package tzdata";
    }
    const auto near = config::nearest(name, known);
    return near.empty() ? "; expected one such as “Europe/Berlin”" : fmt::format("; did you mean “{}”?", near);
  }

  void compile_never() {
    auto patterns = compile_patterns(config_.city.never_domains, out_);
    if (policy_.bypass)
      for (const auto name : bypass_names)
        if (auto pattern = parse_pattern(name, {"built-in", 0})) patterns.push_back(std::move(*pattern));
    if (policy_.bypass)
      for (const auto network : bypass_networks) policy_.never_networks.push_back(base::parse_prefix(network).value());
    policy_.gate.never = NamePatterns(std::move(patterns));
    policy_.gate.never_lists = Categories(compile_categories(config_.city.never_categories, config_.lists, out_));
  }

  void add_profile(const config::Profile& profile, bool of_city) {
    const auto& name = profile.name;
    // A name that cannot be had hides nothing that is wrong with the rest; so below.
    auto allow = compile_patterns(profile.allow, out_);
    auto block = compile_patterns(profile.block, out_);
    auto lists = compile_categories(profile.block_categories, config_.lists, out_);
    if (name.value.empty()) return;
    const auto [first, fresh] = profiles_.try_emplace(name.value, Known{name.source, of_city});
    if (!fresh) {
      out_.error(name.source,
                 first->second.of_city && !of_city
                     ? fmt::format("profile “{}” is the city's ({}): write [extend.{}] to add to it, or choose another name",
                                   name.value, to_string(first->second.source), name.value)
                     : fmt::format("profile “{}” exists already, first at {}", name.value, to_string(first->second.source)));
      return;
    }
    ProfileNames names;
    names.name = name.value;
    names.listed = profile.access == config::Access::listed;
    names.source = {name.source.file, name.source.line};
    if (of_city) {
      names.city_block = NamePatterns(std::move(block));
      names.city_allow = NamePatterns(allow);
      block.clear();
      names.city_block_lists = Categories(std::move(lists));
      lists.clear();
    }
    for (const auto& extension : config_.school.extensions) {
      if (!of_city || extension.profile.value != name.value) continue;
      append(allow, compile_patterns(extension.allow, out_));
      append(block, compile_patterns(extension.block, out_));
      append(lists, compile_categories(extension.block_categories, config_.lists, out_));
    }
    demand_safe_search(profile.safe_search, names);
    for (const auto& extension : config_.school.extensions)
      if (of_city && extension.profile.value == name.value) demand_safe_search(extension.safe_search, names);
    names.allow = NamePatterns(std::move(allow));
    names.block = NamePatterns(std::move(block));
    names.block_lists = Categories(std::move(lists));
    policy_.gate.profiles.push_back(std::move(names));
    if (auto closed = closed_services(profile, of_city, policy_.bypass, out_))
      policy_.closed_services.emplace(name.value, std::move(*closed));
  }

  /// Whoever asks for more gets it: a school cannot take away what the city's profile asks for.
  static void demand_safe_search(const config::SafeSearch& asked, ProfileNames& names) {
    const SafeSearch before = names.safe_search;
    names.safe_search.search = before.search || asked.search();
    names.safe_search.youtube = std::max(before.youtube, static_cast<YouTube>(asked.youtube()));
    if (const auto source = asked.source(); source && names.safe_search != before) names.safe_search_source = place_of(*source);
  }

  template <typename Entry>
  static void append(std::vector<Entry>& to, std::vector<Entry> more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }

  void check_profiles() {
    std::size_t listed = 0;
    std::map<std::string, std::string> chains;
    config::Source written{"city.toml", 0, 0};
    for (const auto& profile : policy_.gate.profiles) {
      const config::Source where = profiles_.at(profile.name).source;
      listed += profile.listed ? 1 : 0;
      // One that is built in stands nowhere: the last that somebody wrote is too many.
      if (profile.listed && where.line > 0) written = where;
      if (profile.listed && listed == most_listed_profiles + 1)
        out_.error(written, fmt::format("more than {} listed profiles", most_listed_profiles));
      // Both name their chain of the ruleset, where there is no '-'.
      std::string chain = profile.name;
      std::replace(chain.begin(), chain.end(), '-', '_');
      const auto [first, fresh] = chains.try_emplace(chain, profile.name);
      if (!fresh)
        out_.error(where, fmt::format("profile “{}” differs from “{}” in - and _ alone: choose another name", profile.name,
                                      first->second));
    }
    for (const auto& extension : config_.school.extensions) {
      const auto known = profiles_.find(extension.profile.value);
      if (known == profiles_.end() || !known->second.of_city) {
        for (const auto* list : {&extension.allow, &extension.block}) static_cast<void>(compile_patterns(*list, out_));
        static_cast<void>(compile_categories(extension.block_categories, config_.lists, out_));
      }
      if (known == profiles_.end() && unread_.city) continue;
      if (known == profiles_.end())
        out_.error(extension.profile.source, fmt::format("[extend.{0}]: there is no profile “{0}”{1}", extension.profile.value,
                                                         config::suggestion(extension.profile.value, names_of(profiles_))));
      else if (!known->second.of_city)
        out_.error(extension.profile.source,
                   fmt::format("[extend.{}]: the profile is the school's own, expected its additions in it ({})",
                               extension.profile.value, to_string(known->second.source)));
    }
  }

  void add_schedule(const config::Schedule& schedule, bool of_city) {
    const auto& name = schedule.name;
    require_profile(schedule.during, of_city);
    require_profile(schedule.otherwise, of_city);
    if (schedule.holidays) require_profile(*schedule.holidays, of_city);
    check_calendars(schedule, config_, out_);
    if (name.value.empty()) return;
    const auto [first, fresh] = schedules_.try_emplace(name.value, Known{name.source, of_city, policy_.schedules.size()});
    if (!fresh) {
      out_.error(
          name.source,
          first->second.of_city && !of_city
              ? fmt::format("schedule “{}” is the city's ({}): choose another name", name.value, to_string(first->second.source))
              : fmt::format("schedule “{}” exists already, first at {}", name.value, to_string(first->second.source)));
      return;
    }
    Schedule compiled;
    compiled.name = name.value;
    compiled.during = schedule.during.value;
    compiled.otherwise = schedule.otherwise.value;
    compiled.otherwise_source = place_of(schedule.otherwise.source);
    compiled.source = place_of(schedule.during.source);
    compiled.holidays = schedule.holidays ? schedule.holidays->value : compiled.otherwise;
    compiled.windows = windows_of(schedule.windows);
    compiled.days = days_of(config_.school.days, name.value);
    if (policy_.zone != nullptr) compiled.free_days = holidays_of(schedule, config_, *policy_.zone);
    policy_.schedules.push_back(std::move(compiled));
  }

  void require_profile(const Text& name, bool by_city) {
    if (name.value.empty() && name.source.line == 0) return;
    const auto known = profiles_.find(name.value);
    if (known == profiles_.end() && (unread_.city || (unread_.school && !by_city))) return;
    if (known == profiles_.end())
      out_.error(name.source,
                 fmt::format("there is no profile “{}”{}", name.value, config::suggestion(name.value, names_of(profiles_))));
    else if (by_city && !known->second.of_city)
      out_.error(name.source, fmt::format("profile “{}” is a school's own ({}), expected one of the city's", name.value,
                                          to_string(known->second.source)));
  }

  void check_days_of_school() {
    check_days(config_.school.days, out_);
    for (const auto& day : config_.school.days)
      if (day.schedule) static_cast<void>(find_schedule(*day.schedule));
  }

  void limit_overrides() {
    const auto& city = config_.city.overrides.longest;
    const auto& school = config_.school.overrides.longest;
    policy_.longest_override = longest_override_unless_said;
    policy_.longest_override_source = {"built-in", 0};
    for (const auto* limit : {&city, &school})
      if (*limit) {
        policy_.longest_override = (*limit)->value;
        policy_.longest_override_source = place_of((*limit)->source);
      }
    if (city && school && school->value > city->value)
      out_.error(school->source, fmt::format("an override may last longer here than the city allows ({}): expected at most that",
                                             to_string(city->source)));
    else if (!city && school && school->value > longest_override_unless_said)
      out_.error(school->source,
                 fmt::format("an override may last longer here than a day, which is the city's to allow ([override] "
                             "longest in city.toml): expected at most {}h",
                             longest_override_unless_said.count()));
  }

  void add_group(const config::Group& group) {
    const auto& name = group.name;
    Group compiled;
    compiled.name = name.value;
    compiled.ownership = static_cast<Ownership>(group.ownership);
    compiled.unknown = group.unknown;
    compiled.strictest = group.unknown && group.strictest;
    compiled.source = {name.source.file, name.source.line};
    if (group.profile) {
      require_profile(*group.profile, false);
      compiled.fixed_profile = group.profile->value;
      compiled.source.line = group.profile->source.line;
    }
    if (group.schedule) compiled.schedule = find_schedule(*group.schedule);
    for (const auto& prefix : group.prefixes) compiled.prefixes.push_back({prefix.value, place_of(prefix.source)});
    for (const auto& interface : group.interfaces) compiled.interfaces.push_back({interface.value, place_of(interface.source)});
    if (name.value.empty()) return;
    const auto [first, fresh] = groups_.try_emplace(name.value, Known{name.source, false, policy_.groups.size()});
    if (fresh) policy_.groups.push_back(std::move(compiled));
    else
      out_.error(name.source, fmt::format("group “{}” exists already, first at {}", name.value, to_string(first->second.source)));
  }

  std::optional<std::size_t> find_schedule(const Text& name) {
    const auto known = schedules_.find(name.value);
    if (known != schedules_.end()) return known->second.index;
    if (unread_.city) return std::nullopt;
    out_.error(name.source,
               fmt::format("there is no schedule “{}”{}", name.value, config::suggestion(name.value, names_of(schedules_))));
    return std::nullopt;
  }

  void add_devices() {
    for (const auto& entry : config_.roster) {
      const auto known = groups_.find(entry.group.value);
      if (known == groups_.end() && unread_.school) continue;
      if (known == groups_.end())
        out_.error(entry.group.source, fmt::format("there is no group “{}”{}", entry.group.value,
                                                   config::suggestion(entry.group.value, names_of(groups_))));
      else policy_.devices.push_back({entry.mac, known->second.index, {entry.group.source.file, entry.group.source.line}});
    }
    std::sort(policy_.devices.begin(), policy_.devices.end(), [](const Device& a, const Device& b) { return a.mac < b.mac; });
  }

  struct Known {
    config::Source source;
    bool of_city = false;
    std::size_t index = 0;
  };
  using Names = std::map<std::string, Known>;

  static std::vector<std::string_view> names_of(const Names& names) {
    std::vector<std::string_view> list;
    for (const auto& [name, known] : names) list.push_back(name);
    return list;
  }

  const config::Config& config_;
  const config::Unread& unread_;
  Diagnostics& out_;
  Policy policy_;
  Names profiles_;
  Names schedules_;
  Names groups_;
};

LoadedPolicy compile_loaded(config::Loaded loaded) {
  LoadedPolicy result;
  Diagnostics both;
  both.append(std::move(loaded.diagnostics));
  if (const auto& source = loaded.config ? loaded.config : loaded.draft) {
    auto compiled = compile(*source, loaded.unread);
    both.append(std::move(compiled.diagnostics));
    result.policy = std::move(compiled.policy);
  }
  if (both.has_errors()) result.policy.reset();
  if (result.policy) result.config = std::move(loaded.config);
  result.diagnostics = std::move(both).take();
  return result;
}

}  // namespace

Compiled compile(const config::Config& config, const config::Unread& unread) {
  Diagnostics out;
  auto policy = Compiler(config, unread, out).run();
  Compiled compiled;
  if (!out.has_errors()) compiled.policy = std::move(policy);
  compiled.diagnostics = std::move(out).take();
  return compiled;
}

LoadedPolicy load(const std::filesystem::path& directory, config::Need need) {
  return compile_loaded(config::load(directory, need));
}
LoadedPolicy load(const config::Reading& reading, config::Need need) { return compile_loaded(config::parse(reading, need)); }
LoadedPolicy load(const config::Files& files, config::Need need) { return compile_loaded(config::parse(files, need)); }

}  // namespace schultor::policy
