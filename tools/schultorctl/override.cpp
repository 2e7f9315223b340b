// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/answer.hpp"
#include "tools/schultorctl/bus_client.hpp"
#include "tools/schultorctl/override_text.hpp"

#include <algorithm>

namespace schultor::ctl {
namespace {

Exit not_json() {
  complain("schultord's answer is no JSON: restart it after an update");
  return Exit::failed;
}

/// Prints a document: as it is, or as `text` says it.
Exit print(const Request& request, const json& document, const base::Result<std::string>& text) {
  if (!text) return give_up(text);
  if (request.json) ctl::print(document);
  else fmt::print("{}", *text);
  return Exit::yes;
}

Exit list(const Request& request, BusClient& bus) {
  const auto described = bus.describe();
  if (!described) return give_up(described);
  const auto document = json::parse(*described, nullptr, false);
  if (!document.is_object() || !document.contains("overrides")) return not_json();
  return print(request, document["overrides"], overrides_text(document["overrides"]));
}

base::Result<Answered> change(const Request& request, BusClient& bus) {
  const auto group = request.group.value_or("");
  if (request.clear) return bus.ask("ClearOverride", {group});
  if (request.extend) return bus.ask("ExtendOverride", {group, *request.extend});
  return bus.ask("Override", {group, *request.profile, request.span ? *request.span : *request.until, request.reason.value_or("")});
}

/// A group that is not there is misuse, as it is in `explain`, and no rule's refusal.
bool lacks_group(BusClient& bus, const std::string& name) {
  const auto described = bus.describe();
  if (!described) return false;
  const auto document = json::parse(*described, nullptr, false);
  if (!document.is_object() || !document.contains("groups") || !document["groups"].is_array()) return false;
  const auto& groups = document["groups"];
  return std::none_of(groups.begin(), groups.end(),
                      [&](const json& group) { return group.is_object() && group.contains("name") && group["name"] == name; });
}

}  // namespace

Exit override_profile(const Request& request) {
  auto bus = BusClient::connect();
  if (!bus) return give_up(bus);
  if (!request.clear && !request.extend && !request.profile) return list(request, *bus);
  const auto answered = change(request, *bus);
  if (!answered) return give_up(answered);
  if (answered->refused) {
    complain(answered->text);
    return request.group && lacks_group(*bus, *request.group) ? Exit::failed : Exit::no;
  }
  const auto document = json::parse(answered->text, nullptr, false);
  if (!document.is_object()) return not_json();
  if (request.clear) return print(request, document, cleared_text(document, request.group));
  return print(request, document, override_text(document));
}

}  // namespace schultor::ctl
