// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/status_text.hpp"

#include "tools/schultorctl/columns.hpp"
#include "tools/schultorctl/counter_name.hpp"
#include "tools/schultorctl/lists_text.hpp"
#include "tools/schultorctl/override_text.hpp"

#include <map>

namespace schultor::ctl {
namespace {

using json = nlohmann::ordered_json;

std::string text_or(const json& object, const char* key, const std::string& otherwise) {
  const auto& value = object.at(key);
  return value.is_null() ? otherwise : value.get<std::string>();
}

/// "-" where it is not known, also to an older schultord.
std::string online_text(const json& group) {
  const auto found = group.find("online");
  return found == group.end() || found->is_null() ? "-" : std::to_string(found->get<std::uint64_t>());
}

Rows group_rows(const json& groups) {
  Rows rows{{"GROUP", "PROFILE", "BECAUSE", "SINCE", "UNTIL", "OWNERSHIP", "DEVICES", "ONLINE"}};
  for (const auto& group : groups)
    rows.push_back({group.at("name").get<std::string>(), group.at("profile").get<std::string>(),
                    group.at("text").get<std::string>(), text_or(group, "since", "-"), text_or(group, "until", "-"),
                    group.at("ownership").get<std::string>(), std::to_string(group.at("devices").get<std::uint64_t>()),
                    online_text(group)});
  return rows;
}

std::string gate_text(const json& gate) {
  if (!gate.at("connected").get<bool>()) return "not connected: schultor-dns is not running";
  const auto& answers = gate.at("resolver_answers");
  if (answers.is_null()) return "connected, resolver not asked yet";
  return answers.get<bool>() ? "connected, resolver answers" : "connected, resolver does not answer";
}

std::string clock_text(const json& clock) {
  if (!clock.at("trusted").get<bool>())
    return "not known to be right: until it is, [clock] untrusted or what schedules have during their windows holds";
  return clock.at("synchronised").get<bool>() ? "right, synchronised" : "believed, not synchronised";
}

/// The lines of a refused configuration; errors may hold several lines each.
std::string refused_text(const json& refused) {
  auto text =
      fmt::format("\nThe configuration was refused at {}; what was in force before stays:\n", refused.at("at").get<std::string>());
  for (const auto& error : refused.at("errors")) {
    auto lines = error.get<std::string>();
    for (auto at = lines.find('\n'); at != std::string::npos; at = lines.find('\n', at + 3)) lines.replace(at, 1, "\n  ");
    text += fmt::format("  {}\n", lines);
  }
  return text;
}

/// What an older schultord does not tell is left out.
const json* told(const json& description, const char* member) {
  const auto found = description.find(member);
  return found == description.end() || found->is_null() ? nullptr : &*found;
}

/// Lists that are held back or could not be downloaded; empty where all are well.
std::string lists_in_need_text(const json& lists) {
  json in_need = json::array();
  for (const auto& one : lists)
    if (one.at("state") != "ok") in_need.push_back(one);
  return in_need.empty() ? "" : "\nBlock lists that were not updated:\n" + downloads_text(in_need);
}

std::string categories_text(const json& categories) {
  if (categories.at("in_effect").get<bool>())
    return fmt::format("in effect, compiled {}", categories.at("compiled").get<std::string>());
  const auto error = categories.at("error").get<std::string>();
  return "not in effect: " + error.substr(0, error.find('\n'));
}

/// An interface that is not among them came later than the ruleset.
std::string offload_text(const json& offload) {
  const auto text = offload.at("text").get<std::string>();
  if (!offload.at("in_effect").get<bool>()) return text;
  return fmt::format("{} ({})", text, fmt::join(offload.at("interfaces").get<std::vector<std::string>>(), ", "));
}

/// From where the box is managed.
std::string management_text(const json& network) {
  const auto& prefixes = network.at("management");
  if (prefixes.empty()) return "from the console alone";
  return fmt::format("from {} on tcp {}", fmt::join(prefixes.get<std::vector<std::string>>(), ", "),
                     fmt::join(network.at("management_ports").get<std::vector<int>>(), ", "));
}

/// "NAME is 0, expected 1: COMMAND" a line; empty where all are right.
std::string settings_text(const json& settings) {
  std::string text;
  for (const auto& one : settings) {
    const auto& value = one.at("value");
    text += fmt::format("  {} is {}, expected {}: {}\n", one.at("name").get<std::string>(),
                        value.is_null()     ? "not there"
                        : value.is_string() ? value.get<std::string>()
                                            : std::to_string(value.get<std::int64_t>()),
                        one.at("expected").get<std::string>(), one.at("remedy").get<std::string>());
  }
  return text.empty() ? text : "\nSettings of the kernel that are not as they are to be:\n" + text;
}

/// Empty where the kernel holds what it is to hold.
std::string ruleset_text(const json& ruleset) {
  if (ruleset.at("in_force").get<bool>()) return {};
  return fmt::format("\nThe kernel does not hold what it is to hold since {}, and refuses it:\n  {}\n  {}\n",
                     ruleset.at("since").get<std::string>(), ruleset.at("text").get<std::string>(),
                     ruleset.at("remedy").get<std::string>());
}

std::string connections_text(const json& table) {
  return fmt::format("{} of {} tracked ({} %)", table.at("tracked").get<std::int64_t>(), table.at("most").get<std::int64_t>(),
                     table.at("percent").get<int>());
}

/// "12 refused, 345 admitted": by the first word of each counter's name.
std::string counters_text(const json& counters) {
  std::map<std::string, std::uint64_t> sums;
  for (const auto& [name, packets] : counters.items())
    sums[std::string(counter_name(name).verdict)] += packets.get<std::uint64_t>();
  std::string text;
  for (const auto& [verdict, packets] : sums) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", packets, verdict);
  return text + " since the machine started";
}

std::size_t well_of(const json& origins) {
  std::size_t well = 0;
  for (const auto& origin : origins) well += origin.at("well").get<bool>() ? 1 : 0;
  return well;
}

std::string cache_text(const json& cache) {
  if (!cache.at("connected").get<bool>()) return "not connected: schultor-origin is not running";
  const auto& origins = cache.at("origins");
  return fmt::format("answers for {} of {} origins", well_of(origins), origins.size());
}

/// Empty where all are well.
std::string unwell_origins_text(const json& origins) {
  std::string text;
  for (const auto& origin : origins)
    if (!origin.at("well").get<bool>())
      text += fmt::format("  {}: {}\n", origin.at("name").get<std::string>(), origin.at("text").get<std::string>());
  return text.empty() ? text : "\nOrigins that the cache does not answer for, whose names lead to themselves:\n" + text;
}

std::string broker_text(const json& broker) {
  if (broker.is_null()) return "unknown (schultor-report is not running)";
  const auto waiting = broker.at("outbox_depth").get<std::uint64_t>();
  return fmt::format("{}, {} event{} waiting", broker.at("connected").get<bool>() ? "connected" : "not connected", waiting,
                     waiting == 1 ? "" : "s");
}

}  // namespace

base::Result<std::string> status_text(const json& description) {
  try {
    Rows head{{"school:", description.at("school").get<std::string>()},
              {"time:", description.at("time").get<std::string>()},
              {"version:", description.at("version").get<std::string>()},
              {"policy:", fmt::format("revision {}", description.at("policy_revision").get<std::uint64_t>())},
              {"applied:", text_or(description, "applied", "not yet")},
              {"gate:", gate_text(description.at("gate"))},
              {"broker:", broker_text(description.at("broker"))}};
    const auto* cache = told(description, "cache");
    if (cache != nullptr) head.push_back({"cache:", cache_text(*cache)});
    if (const auto* lists = told(description, "categories")) head.push_back({"categories:", categories_text(*lists)});
    if (const auto* log = told(description.at("gate"), "question_log"))
      head.push_back(
          {"debug:", fmt::format("questions of {} are logged until {}, switched on by {}", text_or(*log, "profile", "all profiles"),
                                 log->at("until").get<std::string>(), log->at("by").get<std::string>())});
    if (const auto* offload = told(description, "offload")) head.push_back({"offload:", offload_text(*offload)});
    if (const auto* network = told(description, "network")) head.push_back({"management:", management_text(*network)});
    if (const auto* clock = told(description, "clock")) head.push_back({"clock:", clock_text(*clock)});
    if (const auto* count = told(description, "randomised_devices"))
      head.push_back({"randomised:", fmt::format("{} of the roster's addresses are random ones (locally administered)",
                                                 count->get<std::uint64_t>())});
    const auto* kernel = told(description, "kernel");
    if (const auto* table = kernel != nullptr ? told(*kernel, "connections") : nullptr)
      head.push_back({"connections:", connections_text(*table)});
    if (const auto* counters = kernel != nullptr ? told(*kernel, "counters") : nullptr; counters != nullptr && !counters->empty())
      head.push_back({"packets:", counters_text(*counters)});
    auto text = align(head) + "\n" + align(group_rows(description.at("groups")));
    if (const auto* overrides = told(description, "overrides"); overrides != nullptr && !overrides->empty()) {
      const auto table = overrides_text(*overrides);
      if (!table) return base::pass(base::Result<std::string>(table));
      text += "\nOverrides:\n" + *table;
    }
    if (const auto* lists = told(description, "lists")) text += lists_in_need_text(*lists);
    if (const auto* ruleset = kernel != nullptr ? told(*kernel, "ruleset") : nullptr) text += ruleset_text(*ruleset);
    if (cache != nullptr) text += unwell_origins_text(cache->at("origins"));
    if (const auto* settings = kernel != nullptr ? told(*kernel, "settings") : nullptr) text += settings_text(*settings);
    if (const auto* refused = told(description, "refused")) text += refused_text(*refused);
    return text;
  } catch (const json::exception& error) {
    return base::fail("schultord's answer is not understood ({}): restart it after an update", error.what());
  }
}

}  // namespace schultor::ctl
