// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile.hpp"
#include "daemon/policy/explain.hpp"
#include "daemon/policy/questionable.hpp"
#include "tools/schultorctl/commands.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>

namespace schultor::ctl {
namespace {

using json = nlohmann::ordered_json;

void print(const json& document) { fmt::print("{}\n", document.dump(2, ' ', false, json::error_handler_t::replace)); }

/// The policy of the request's directory, or nothing once its errors are printed.
std::optional<policy::Policy> load(const Request& request, config::Need need) {
  auto loaded = policy::load(request.directory, need);
  if (!loaded.policy)
    for (const auto& diagnostic : loaded.diagnostics) fmt::print(stderr, "{}\n", config::to_string(diagnostic));
  return std::move(loaded.policy);
}

const policy::Group* find_group(const policy::Policy& policy, const std::string& name) {
  const auto* group = policy.find_group(name);
  if (group != nullptr) return group;
  std::vector<std::string_view> known;
  for (const auto& one : policy.groups) known.push_back(one.name);
  complain(fmt::format("there is no group “{}”{}", name, config::suggestion(name, known)));
  return nullptr;
}

/// The group that the request names, or that its device is in.
const policy::Group* group_of(const policy::Policy& policy, const Request& request) {
  if (request.group) return find_group(policy, *request.group);
  const auto mac = base::parse_mac(*request.device);
  if (!mac) {
    complain(mac.error().what());
    return nullptr;
  }
  const auto* group = policy.group_of(*mac);
  return group != nullptr ? group : &policy.unknown_group();
}

/// A time of the request, or nothing once it is said what is wrong with it.
std::optional<policy::Seconds> time_of(const policy::Policy& policy, std::string_view option, const std::string& text) {
  const auto time = policy::parse_local(policy, text);
  if (time) return *time;
  complain(fmt::format("{}: {}", option, time.error().what()));
  return std::nullopt;
}

/// --at, or now.
std::optional<policy::Seconds> instant_of(const policy::Policy& policy, const Request& request) {
  if (request.at) return time_of(policy, "--at", *request.at);
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace

Exit validate(const Request& request) {
  auto loaded = policy::load(request.directory, config::Need::everything());
  if (loaded.policy) {
    const auto at = instant_of(*loaded.policy, request);
    if (!at) return Exit::failed;
    policy::add_questionable(loaded, *at);
  }
  if (request.json) {
    json list = json::array();
    for (const auto& one : loaded.diagnostics)
      list.push_back({{"file", one.file},
                      {"line", one.line},
                      {"column", one.column},
                      {"severity", one.severity == config::Severity::error ? "error" : "warning"},
                      {"text", one.text}});
    print(list);
  } else {
    for (const auto& one : loaded.diagnostics) fmt::print(stderr, "{}\n", config::to_string(one));
  }
  return loaded.policy ? Exit::yes : Exit::no;
}

Exit timeline(const Request& request) {
  const auto policy = load(request, config::Need::hours());
  if (!policy) return Exit::failed;
  const auto* group = find_group(*policy, *request.group);
  if (group == nullptr) return Exit::failed;
  const auto from = time_of(*policy, "--from", *request.from);
  const auto to = time_of(*policy, "--to", *request.to);
  if (!from || !to) return Exit::failed;
  if (*from >= *to) {
    complain(fmt::format("--to {} is not after --from {}: give a later one", *request.to, *request.from));
    return Exit::failed;
  }
  const auto lines = policy::timeline(*policy, *group, *from, *to);
  if (request.json) {
    json list = json::array();
    for (const auto& [at, holding] : lines)
      list.push_back({{"at", format_local(*policy, at)},
                      {"profile", holding.profile},
                      {"because", to_string(holding.because)},
                      {"text", holding.text}});
    print(list);
  } else {
    for (const auto& [at, holding] : lines) fmt::print("{}  {}  {}\n", format_local(*policy, at), holding.profile, holding.text);
  }
  return Exit::yes;
}

Exit explain(const Request& request) {
  const auto policy = load(request, config::Need::rules(request.device.has_value()));
  if (!policy) return Exit::failed;
  const auto* group = group_of(*policy, request);
  if (group == nullptr) return Exit::failed;
  const auto at = instant_of(*policy, request);
  if (!at) return Exit::failed;
  const auto explained = policy::explain(*policy, *group, *at, request.arguments.front());
  if (!explained) {
    complain(explained.error().what());
    return Exit::failed;
  }
  const bool allowed = explained->verdict == policy::Verdict::allow;
  const char* decision = allowed ? "allow" : "refuse";
  const auto& rule = explained->rule;
  std::vector<std::string> ports;
  for (const auto& range : explained->ports) ports.push_back(base::to_string(range));
  if (request.json) {
    json document = {{"name", explained->name},
                     {"group", explained->group},
                     {"profile", explained->holding.profile},
                     {"decision", decision},
                     {"because", explained->because},
                     {"rule", {{"text", explained->rule_text}, {"file", rule.file}, {"line", rule.line}}}};
    if (!ports.empty()) document["ports"] = ports;
    print(document);
  } else {
    fmt::print("{}  {}  {}: {} ({})\n", decision, explained->name, explained->because, explained->rule_text,
               config::to_string(config::Source{rule.file, rule.line}));
    if (!ports.empty()) fmt::print("open on {}\n", fmt::join(ports, ", "));
    fmt::print("at {} group {} has profile {}: {} ({})\n", format_local(*policy, *at), explained->group, explained->holding.profile,
               explained->holding.text,
               config::to_string(config::Source{explained->holding.rule.file, explained->holding.rule.line}));
  }
  return allowed ? Exit::yes : Exit::no;
}

}  // namespace schultor::ctl
