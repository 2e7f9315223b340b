// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/networks.hpp"
#include "daemon/config/list_files.hpp"
#include "daemon/lists/name_in_files.hpp"
#include "daemon/policy/address_reach.hpp"
#include "daemon/policy/explain.hpp"
#include "daemon/policy/questionable.hpp"
#include "daemon/policy/selectors.hpp"
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
  std::optional<policy::Selected> selected{};  ///< unless the group itself was named
  std::string whom{};                          ///< then, what was told of the device
  json traits = json::object();                ///< the same: "mac", "address", "interface", each where it was given
};

/// An address that a device may have; nothing once it is said what is wrong.
std::optional<base::Address> device_address(const std::string& text) {
  const auto address = base::parse_address(text);
  if (!address) {
    complain(address.error().what());
    return std::nullopt;
  }
  if (policy::is_nobodys(base::host(*address))) {
    complain(fmt::format("--address {}: no device has such an address: expected one such as 10.77.1.1 or fd77::1:1", text));
    return std::nullopt;
  }
  return *address;
}

/// Whether the configuration has an interface of that name; where [lan] is not written, any may be there.
bool knows_interface(const config::Config& config, const std::string& name) {
  std::vector<std::string_view> known;
  for (const auto& one : config.gateway.lan_interfaces) known.push_back(one.value);
  if (known.empty() || std::find(known.begin(), known.end(), name) != known.end()) return true;
  complain(fmt::format("--interface {}: it is none of [lan] in gateway.toml{}", name, config::suggestion(name, known)));
  return false;
}

/// What the request tells of a device; nothing once it is said what is wrong.
std::optional<policy::Traits> traits_of(const config::Config& config, const Request& request) {
  policy::Traits traits;
  if (request.device) {
    const auto mac = base::parse_mac(*request.device);
    if (!mac) complain(mac.error().what());
    if (!mac) return std::nullopt;
    traits.mac = *mac;
  }
  if (request.address) {
    const auto address = device_address(*request.address);
    if (!address) return std::nullopt;
    traits.addresses.insert(*address);
  }
  if (request.interface && !knows_interface(config, *request.interface)) return std::nullopt;
  if (request.interface) traits.interface = *request.interface;
  return traits;
}

/// The group that the request names, or that what it tells of a device leads to; nothing once it is said what is wrong.
std::optional<Asked> asked_about(const Directory& loaded, const Request& request) {
  const auto& policy = loaded.policy;
  if (request.group) {
    const auto* group = find_group(policy, *request.group);
    return group != nullptr ? std::optional(Asked{group}) : std::nullopt;
  }
  const auto traits = traits_of(loaded.config, request);
  if (!traits) return std::nullopt;
  Asked asked;
  const auto add = [&](const char* key, const char* word, std::string text) {
    asked.whom += fmt::format("{}{} {}", asked.whom.empty() ? "" : ", ", word, text);
    asked.traits[key] = std::move(text);
  };
  if (traits->mac) add("mac", "device", to_string(*traits->mac));
  for (const auto& address : traits->addresses) add("address", "address", to_string(address));
  if (request.interface) add("interface", "interface", *request.interface);
  asked.selected = policy::Selectors(policy).find(*traits);
  asked.group = &policy.groups[asked.selected->group];
  return asked;
}

json to_json(const Asked& asked) {
  const auto& selected = *asked.selected;
  json device = asked.traits;
  device["by"] = to_string(selected.by);
  device["source"] = nullptr;
  if (selected.by != policy::SelectedBy::unknown)
    device["source"] = {{"file", selected.source.file}, {"line", selected.source.line}};
  return device;
}

/// Which of the things that were told decides.
std::string words(const Asked& asked, const policy::Policy& policy) {
  const auto& [group, by, text, source] = *asked.selected;
  const auto says = [&](std::string_view why) {
    return fmt::format("{} is in group {} by {} ({})", asked.whom, asked.group->name, why, place(source));
  };
  if (by == policy::SelectedBy::roster) return says("the roster");
  if (by == policy::SelectedBy::prefix) return says("network " + text);
  if (by == policy::SelectedBy::interface) return says("interface " + text);
  const bool others = std::any_of(policy.groups.begin(), policy.groups.end(),
                                  [](const policy::Group& one) { return !one.prefixes.empty() || !one.interfaces.empty(); });
  const bool all_told = asked.traits.contains("address") && asked.traits.contains("interface");
  return fmt::format("{} is named by no group, so in group {}, which has unknown = true ({}){}", asked.whom, asked.group->name,
                     place(source), others && !all_told ? "; where it is may decide otherwise: see --address and --interface" : "");
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
  const auto asked = asked_about(*loaded, request);
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
  const auto asked = asked_about(*loaded, request);
  if (!asked) return Exit::failed;
  const auto at = instant_of(policy, request);
  if (!at) return Exit::failed;
  const auto explained = explain_by_files(request, policy, asked->group->name, *at);
  if (!explained) {
    complain(explained.error().what());
    return Exit::failed;
  }
  const bool allowed = explained->verdict == policy::Verdict::allow;
  const char* decision = !allowed                      ? "refuse"
                         : !explained->kept.empty()    ? "cache"
                         : !explained->rewrite.empty() ? "rewrite"
                                                       : "allow";
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
    if (asked->selected) answer["device"] = to_json(*asked);
    print(answer);
  } else {
    fmt::print("{}  {}  {}: {} ({})\n", decision, explained->name, explained->because, explained->rule_text, place(rule));
    if (!explained->list.empty()) fmt::print("by list {}\n", explained->list);
    if (!ports.empty()) fmt::print("open on {}\n", fmt::join(ports, ", "));
    fmt::print("at {} group {} has profile {}: {} ({})\n", format_local(policy, *at), explained->group, explained->holding.profile,
               explained->holding.text, place(explained->holding.rule));
    if (asked->selected) fmt::print("{}\n", words(*asked, policy));
  }
  return allowed ? Exit::yes : Exit::no;
}

}  // namespace schultor::ctl
