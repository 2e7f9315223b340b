// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/explain.hpp"
#include "daemon/policy/questionable.hpp"
#include "tools/schultorctl/answer.hpp"
#include "tools/schultorctl/diagnostics_json.hpp"
#include "tools/schultorctl/directory.hpp"

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

}  // namespace

Exit validate(const Request& request) {
  auto loaded = policy::load(request.directory, config::Need::everything());
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
  const auto explained = policy::explain(policy, *asked->group, *at, request.arguments.front());
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
    if (!ports.empty()) answer["ports"] = ports;
    if (asked->device) answer["device"] = to_json(*asked);
    print(answer);
  } else {
    fmt::print("{}  {}  {}: {} ({})\n", decision, explained->name, explained->because, explained->rule_text, place(rule));
    if (!ports.empty()) fmt::print("open on {}\n", fmt::join(ports, ", "));
    fmt::print("at {} group {} has profile {}: {} ({})\n", format_local(policy, *at), explained->group, explained->holding.profile,
               explained->holding.text, place(explained->holding.rule));
    if (asked->device) fmt::print("{}\n", words(*asked));
  }
  return allowed ? Exit::yes : Exit::no;
}

}  // namespace schultor::ctl
