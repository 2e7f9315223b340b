// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/list_files.hpp"
#include "daemon/lists/name_in_files.hpp"
#include "daemon/policy/explain.hpp"
#include "daemon/policy/questionable.hpp"
#include "tools/schultorctl/answer.hpp"
#include "tools/schultorctl/diagnostics_json.hpp"
#include "tools/schultorctl/directory.hpp"

#include <algorithm>
#include <chrono>

namespace schultor::ctl {
namespace {

std::string place(const policy::Source& source) { return config::to_string(config::Source{source.file, source.line}); }

/// Whom `explain` and `timeline` are asked about.
struct Asked {
  const policy::Group* group = nullptr;
  std::optional<base::Mac> device;
  const policy::Device* listed = nullptr;  ///< the device's line of the roster
};

/// The group that the request names, or that its device is in; nothing once it is said what is wrong.
std::optional<Asked> asked_about(const policy::Policy& policy, const Request& request) {
  if (request.group) {
    const auto* group = find_group(policy, *request.group);
    return group != nullptr ? std::optional(Asked{group, std::nullopt, nullptr}) : std::nullopt;
  }
  const auto mac = base::parse_mac(*request.device);
  if (!mac) {
    complain(mac.error().what());
    return std::nullopt;
  }
  const auto* device = policy.find_device(*mac);
  return Asked{device != nullptr ? &policy.groups[device->group] : &policy.unknown_group(), *mac, device};
}

json to_json(const Asked& asked) {
  json device{{"mac", to_string(*asked.device)}, {"source", nullptr}};
  if (asked.listed != nullptr) device["source"] = {{"file", asked.listed->source.file}, {"line", asked.listed->source.line}};
  return device;
}

std::string words(const Asked& asked) {
  const auto mac = to_string(*asked.device);
  if (asked.listed != nullptr)
    return fmt::format("device {} is in group {} ({})", mac, asked.group->name, place(asked.listed->source));
  return fmt::format("device {} is in no roster, so in group {}, which has unknown = true ({})", mac, asked.group->name,
                     place(asked.group->source));
}

/// --at, or now.
std::optional<policy::Seconds> instant_of(const policy::Policy& policy, const Request& request) {
  if (request.at) return time_of(policy, "--at", *request.at);
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

/// An explanation whose rule is the line of the list that decided, where one did. The lists of the profile that holds are read
/// from their files: there may be no table here.
base::Result<policy::Explanation> explain_by_files(const Request& request, policy::Policy policy, const std::string& group,
                                                   policy::Seconds at) {
  auto name = policy::judged_name(request.arguments.front());
  if (!name) return base::pass(std::move(name));
  const auto& asked = *policy.find_group(group);
  const auto* profile = policy.find_profile(policy::holding_at(policy, asked, at).profile);
  std::vector<std::string> wanted;
  if (profile != nullptr)
    for (const auto* category : policy::named_lists(policy.gate, *profile))
      if (std::find(wanted.begin(), wanted.end(), category->list) == wanted.end()) wanted.push_back(category->list);
  if (wanted.empty()) return policy::explain(policy, asked, at, *name);
  auto found = config::find_lists(list_folders(request));
  if (!found) return base::pass(std::move(found));
  auto held = lists::find_in_files(*found, wanted, *name);
  if (!held) return base::pass(std::move(held));
  const auto number_of = [&](std::string_view list) -> std::optional<std::size_t> {
    const auto at_list = std::find(wanted.begin(), wanted.end(), list);
    return at_list == wanted.end() ? std::nullopt : std::optional<std::size_t>(at_list - wanted.begin());
  };
  policy::number_lists(policy.gate, number_of);
  auto explained = policy::explain(policy, asked, at, *name, held->hits);
  if (!explained || explained->list.empty()) return explained;
  explained->rule_text = explained->entry;
  const auto& place = held->places.at(*number_of(explained->list));
  explained->rule = {place.file, place.line};
  return explained;
}

}  // namespace

Exit validate(const Request& request) {
  const auto need = config::Need::everything();
  auto loaded = policy::load(config::read(request.directory, need, list_folders(request)), need);
  if (loaded.policy) {
    const auto at = instant_of(*loaded.policy, request);
    if (!at) return Exit::failed;
    policy::add_questionable(loaded, *at);
  }
  if (request.json) {
    print(diagnostics_json(loaded.diagnostics));
  } else {
    for (const auto& one : loaded.diagnostics) fmt::print(stderr, "{}\n", config::to_string(one));
  }
  return loaded.policy ? Exit::yes : Exit::no;
}

Exit timeline(const Request& request) {
  const auto loaded = load(request, config::Need::hours(request.device.has_value()));
  if (!loaded) return Exit::failed;
  const auto& policy = loaded->policy;
  const auto asked = asked_about(policy, request);
  if (!asked) return Exit::failed;
  const auto from = time_of(policy, "--from", *request.from);
  const auto to = time_of(policy, "--to", *request.to);
  if (!from || !to) return Exit::failed;
  if (*from >= *to) {
    complain(fmt::format("--to {} is not after --from {}: give a later one", *request.to, *request.from));
    return Exit::failed;
  }
  const auto lines = policy::timeline(policy, *asked->group, *from, *to);
  if (request.json) {
    json list = json::array();
    for (const auto& [at, holding] : lines)
      list.push_back({{"at", format_local(policy, at)},
                      {"profile", holding.profile},
                      {"because", to_string(holding.because)},
                      {"text", holding.text},
                      {"rule", {{"file", holding.rule.file}, {"line", holding.rule.line}}}});
    print(list);
  } else {
    for (const auto& [at, holding] : lines) fmt::print("{}  {}  {}\n", format_local(policy, at), holding.profile, holding.text);
  }
  return Exit::yes;
}

Exit explain(const Request& request) {
  const auto loaded = load(request, config::Need::rules(request.device.has_value()));
  if (!loaded) return Exit::failed;
  const auto& policy = loaded->policy;
  const auto asked = asked_about(policy, request);
  if (!asked) return Exit::failed;
  const auto at = instant_of(policy, request);
  if (!at) return Exit::failed;
  const auto explained = explain_by_files(request, policy, asked->group->name, *at);
  if (!explained) {
    complain(explained.error().what());
    return Exit::failed;
  }
  const bool allowed = explained->verdict == policy::Verdict::allow;
  const char* decision = !allowed ? "refuse" : explained->rewrite.empty() ? "allow" : "rewrite";
  const auto& rule = explained->rule;
  std::vector<std::string> ports;
  for (const auto& range : explained->ports) ports.push_back(base::to_string(range));
  if (request.json) {
    json answer{{"name", explained->name},
                {"group", explained->group},
                {"profile", explained->holding.profile},
                {"decision", decision},
                {"because", explained->because},
                {"rule", {{"text", explained->rule_text}, {"file", rule.file}, {"line", rule.line}}}};
    if (!explained->list.empty()) answer["list"] = explained->list;
    if (!ports.empty()) answer["ports"] = ports;
    if (asked->device) answer["device"] = to_json(*asked);
    print(answer);
  } else {
    fmt::print("{}  {}  {}: {} ({})\n", decision, explained->name, explained->because, explained->rule_text, place(rule));
    if (!explained->list.empty()) fmt::print("by list {}\n", explained->list);
    if (!ports.empty()) fmt::print("open on {}\n", fmt::join(ports, ", "));
    fmt::print("at {} group {} has profile {}: {} ({})\n", format_local(policy, *at), explained->group, explained->holding.profile,
               explained->holding.text, place(explained->holding.rule));
    if (asked->device) fmt::print("{}\n", words(*asked));
  }
  return allowed ? Exit::yes : Exit::no;
}

}  // namespace schultor::ctl
