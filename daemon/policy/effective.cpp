// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/effective.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace schultor::policy {
namespace {

const Source built_in{"built-in", 0};

Source place_of(const config::Source& source) { return {source.file, source.line}; }

bool is_table(const std::string& file) { return file.size() > 5 && file.compare(file.size() - 5, 5, ".toml") == 0; }

std::string count_of(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

template <typename T>
const T* find(const std::vector<T>& all, std::string_view name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const T& one) { return one.name.value == name; });
  return found == all.end() ? nullptr : &*found;
}

std::string_view to_text(Ownership ownership) {
  return ownership == Ownership::school ? "school" : ownership == Ownership::byod ? "byod" : "staff";
}

class Writer {
public:
  Writer(const config::Config& config, const Policy& policy, const Group* only, std::optional<Seconds> at)
      : config_(config), policy_(policy), only_(only), at_(at) {
    if (only_ != nullptr) choose();
  }

  std::vector<EffectiveLine> write() && {
    if (only_ == nullptr) {
      names({Section::cloud, {}, "name", {}, {}, {}}, policy_.gate.cloud);
      addresses();
      never();
    }
    for (const auto& one : policy_.gate.profiles)
      if (only_ == nullptr || profiles_.contains(one.name)) profile(one);
    for (const auto& one : policy_.schedules)
      if (only_ == nullptr || schedules_.contains(one.name)) schedule(one);
    if (only_ == nullptr) {
      add({Section::override, {}, "longest", span_text(policy_.longest_override), {}, policy_.longest_override_source});
      if (policy_.untrusted.empty()) add({Section::clock, {}, "untrusted", "each schedule's during", {}, built_in});
      else add({Section::clock, {}, "untrusted", policy_.untrusted, {}, policy_.untrusted_source});
      add({Section::service, {}, "on_stop", policy_.opens_on_stop ? "open" : "hold", {}, policy_.on_stop_source});
      network();
    }
    for (const auto& one : policy_.groups)
      if (only_ == nullptr || only_ == &one) group(one);
    return std::move(lines_);
  }

private:
  void add(EffectiveLine line) { lines_.push_back(std::move(line)); }

  /// The schedules and profiles that concern `only_`.
  void choose() {
    const bool follows_others = only_->unknown && !only_->schedule && only_->fixed_profile.empty();
    for (const auto& one : policy_.groups)
      if (&one == only_ || (follows_others && one.ownership == Ownership::school)) choose_of(one);
    if (!policy_.untrusted.empty() && !schedules_.empty()) profiles_.insert(policy_.untrusted);
  }
  void choose_of(const Group& group) {
    if (!group.schedule) {
      profiles_.insert(group.fixed_profile);
      return;
    }
    const auto& schedule = policy_.schedules[*group.schedule];
    schedules_.insert(schedule.name);
    profiles_.insert({schedule.during, schedule.otherwise, schedule.holidays});
  }

  /// A line for each name; the names that an entry of an endpoint list has, or that are built in, share one.
  void names(const EffectiveLine& like, const NamePatterns& patterns) {
    std::map<Source, std::size_t> entries;
    for (const auto& pattern : patterns.patterns()) {
      if (!is_table(pattern.source.file)) {
        const auto [entry, fresh] = entries.try_emplace(pattern.source, lines_.size());
        if (!fresh) {
          auto& line = lines_[entry->second];
          line.text += ", " + pattern.text;
          line.names.push_back(pattern.text);
          continue;
        }
      }
      auto line = like;
      line.text = pattern.text;
      line.names = {pattern.text};
      line.source = pattern.source;
      add(std::move(line));
    }
  }

  void addresses() {
    for (const auto& list : config_.city.cloud_endpoints)
      for (const auto& endpoint : list.endpoints) {
        // Where there are names, these decide (compile_cloud).
        if (!endpoint.names.empty()) continue;
        EffectiveLine line{Section::cloud, {}, "addresses", {}, {}, place_of(endpoint.source)};
        for (const auto& prefix : endpoint.prefixes) line.names.push_back(to_string(prefix));
        if (line.names.empty()) continue;
        std::vector<std::string> ports;
        for (const auto& range : endpoint.ports) ports.push_back(base::to_string(range));
        line.text = fmt::format("{} on {}", fmt::join(line.names, ", "), fmt::join(ports, ", "));
        add(std::move(line));
      }
  }

  /// A line for each list, with the files that it is made of.
  void categories(const EffectiveLine& like, const Categories& lists) {
    for (const auto& category : lists.named()) {
      auto line = like;
      line.text = category.list;
      if (config_.lists)
        for (const auto& list : *config_.lists)
          if (list.name == category.list) line.text += fmt::format(" ({})", fmt::join(list.files, ", "));
      line.names = {category.list};
      line.source = category.source;
      add(std::move(line));
    }
  }

  void never() {
    names({Section::never, {}, "name", {}, {}, {}}, policy_.gate.never);
    for (auto& line : lines_)
      if (line.section == Section::never && line.source == built_in) {
        line.what = "names";
        line.text = count_of(line.names.size(), "name") + " by which a device gets round the gate";
      }
    if (!policy_.never_networks.empty()) {
      EffectiveLine networks{Section::never, {}, "networks", {}, {}, built_in};
      for (const auto& network : policy_.never_networks) networks.names.push_back(to_string(network));
      networks.text = count_of(networks.names.size(), "network") + " of resolvers and tunnels";
      add(std::move(networks));
    }
    categories({Section::never, {}, "category", {}, {}, {}}, policy_.gate.never_lists);
    add({Section::never,
         {},
         "bypass",
         policy_.bypass ? "true" : "false",
         {},
         config_.city.bypass.source.line > 0 ? place_of(config_.city.bypass.source) : built_in});
  }

  void profile(const ProfileNames& profile) {
    add({Section::profile, profile.name, "access", profile.listed ? "listed" : "open", {}, profile.source});
    const auto like = [&](const char* what) { return EffectiveLine{Section::profile, profile.name, what, {}, {}, {}}; };
    if (profile.safe_search.search) add({Section::profile, profile.name, "safe-search", "true", {}, profile.safe_search_source});
    if (profile.safe_search.youtube != YouTube::off)
      add({Section::profile,
           profile.name,
           "youtube",
           profile.safe_search.youtube == YouTube::strict ? "strict" : "moderate",
           {},
           profile.safe_search_source});
    if (const auto closed = policy_.closed_services.find(profile.name); closed != policy_.closed_services.end()) {
      auto line = like("closed");
      for (const auto& range : closed->second) line.names.push_back(base::to_string(range));
      line.text = fmt::format("{}", fmt::join(line.names, ", "));
      line.source = built_in;
      add(std::move(line));
    }
    names(like("city-block"), profile.city_block);
    names(like("allow"), profile.allow);
    names(like("block"), profile.block);
    categories(like("city-block-category"), profile.city_block_lists);
    categories(like("block-category"), profile.block_lists);
  }

  void schedule(const Schedule& schedule) {
    const auto* written = find(config_.city.schedules, schedule.name);
    if (written == nullptr) written = find(config_.school.schedules, schedule.name);
    const auto line = [&](const char* what, std::string text, Source source) {
      add({Section::schedule, schedule.name, what, std::move(text), {}, std::move(source)});
    };
    for (const auto& window : schedule.windows) line("window", window.text, window.source);
    line("during", schedule.during, schedule.source);
    line("otherwise", schedule.otherwise, schedule.otherwise_source);
    const bool said = written != nullptr && written->holidays;
    line("holidays", schedule.holidays, said ? place_of(written->holidays->source) : schedule.otherwise_source);
    if (written != nullptr) calendars(schedule, *written);
    for (const auto& day : schedule.days) {
      std::vector<std::string> windows;
      for (const auto& window : day.windows) windows.push_back(window.text);
      line("day",
           fmt::format("{} {}", date::format("%F", day.date),
                       windows.empty() ? "holiday" : fmt::format("{}", fmt::join(windows, ", "))),
           day.source);
    }
  }

  /// A date that several calendars have is counted with the first.
  void calendars(const Schedule& schedule, const config::Schedule& written) {
    std::set<std::string_view> counted;
    for (const auto& use : written.calendars) {
      if (!counted.insert(use.file.value).second) continue;
      std::vector<date::local_days> dates;
      for (const auto& holiday : schedule.free_days)
        if (holiday.source.file == use.file.value) dates.push_back(holiday.date);
      auto text = fmt::format("{} {}", use.file.value, count_of(dates.size(), "holiday"));
      if (!dates.empty()) text += fmt::format(", {} to {}", date::format("%F", dates.front()), date::format("%F", dates.back()));
      add({Section::schedule, schedule.name, "calendar", std::move(text), {}, place_of(use.file.source)});
    }
  }

  /// What the box is to its networks, besides gate and rules.
  void network() {
    const auto line = [&](const char* what, std::string text, const config::Source& source) {
      add({Section::network, {}, what, std::move(text), {}, source.line > 0 ? place_of(source) : built_in});
    };
    const auto& gateway = config_.gateway;
    line("offload", gateway.offload.value ? "true" : "false", gateway.offload.source);
    line("masquerade", gateway.masquerade.value ? "true" : "false", gateway.masquerade.source);
    for (const auto& prefix : gateway.reachable) line("reachable", to_string(prefix.value), prefix.source);
    if (gateway.reachable.empty()) line("reachable", "none", {});
    const auto ports = fmt::format("{}", fmt::join(policy_.network.management_ports, ", "));
    if (gateway.management)
      for (const auto& prefix : gateway.management->prefixes)
        line("management", fmt::format("{} on tcp {}", to_string(prefix.value), ports), prefix.source);
    if (policy_.network.management.empty())
      line("management", "none: from its console alone", gateway.management ? gateway.management->source : config::Source{});
  }

  void group(const Group& group) {
    const auto* written = find(config_.school.groups, group.name);
    const auto line = [&](const char* what, std::string text, Source source) {
      add({Section::group, group.name, what, std::move(text), {}, std::move(source)});
    };
    if (at_) {
      auto holding = holding_at(policy_, group, *at_);
      line("holds", fmt::format("{} at {}: {}", holding.profile, format_local(policy_, *at_), holding.text), holding.rule);
    }
    const auto named = written != nullptr ? place_of(written->name.source) : group.source;
    if (group.schedule)
      line("schedule", policy_.schedules[*group.schedule].name,
           written != nullptr && written->schedule ? place_of(written->schedule->source) : named);
    else if (!group.fixed_profile.empty()) line("profile", group.fixed_profile, group.source);
    else line("profile", "the strictest of all groups with ownership school", named);
    line("ownership", std::string(to_text(group.ownership)), named);
    if (group.unknown) {
      line("unknown", "devices that nothing else names", named);
      line("strictest", group.strictest ? "true" : "false", named);
    }
    for (const auto& [prefix, source] : group.prefixes) line("prefix", to_string(prefix), source);
    for (const auto& [interface, source] : group.interfaces) line("interface", interface, source);
    const auto index = static_cast<std::size_t>(&group - policy_.groups.data());
    const auto devices =
        std::count_if(policy_.devices.begin(), policy_.devices.end(), [&](const Device& device) { return device.group == index; });
    if (devices > 0) line("devices", std::to_string(devices), {"roster.csv", 0});
  }

  const config::Config& config_;
  const Policy& policy_;
  const Group* only_;
  std::optional<Seconds> at_;
  std::set<std::string, std::less<>> profiles_;
  std::set<std::string, std::less<>> schedules_;
  std::vector<EffectiveLine> lines_;
};

}  // namespace

std::string_view to_string(Section section) {
  switch (section) {
    case Section::cloud:
      return "cloud";
    case Section::never:
      return "never";
    case Section::profile:
      return "profile";
    case Section::schedule:
      return "schedule";
    case Section::override:
      return "override";
    case Section::clock:
      return "clock";
    case Section::service:
      return "service";
    case Section::network:
      return "network";
    case Section::group:
      return "group";
  }
  return "";
}

std::string_view author_of(const EffectiveLine& line) {
  const auto& file = line.source.file;
  if (file == built_in.file) return "built-in";
  if (file == "gateway.toml") return "gateway";
  return file == "school.toml" || file == "roster.csv" ? "school" : "city";
}

std::vector<EffectiveLine> effective(const config::Config& config, const Policy& policy, const Group* group,
                                     std::optional<Seconds> at) {
  return Writer(config, policy, group, at).write();
}

}  // namespace schultor::policy
