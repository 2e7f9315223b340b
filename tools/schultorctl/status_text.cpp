// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/status_text.hpp"

#include <algorithm>

namespace schultor::ctl {
namespace {

using json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string text_or(const json& object, const char* key, const std::string& otherwise) {
  const auto& value = object.at(key);
  return value.is_null() ? otherwise : value.get<std::string>();
}

Rows group_rows(const json& groups) {
  Rows rows{{"GROUP", "PROFILE", "BECAUSE", "SINCE", "UNTIL", "OWNERSHIP", "DEVICES"}};
  for (const auto& group : groups)
    rows.push_back({group.at("name").get<std::string>(), group.at("profile").get<std::string>(),
                    group.at("text").get<std::string>(), text_or(group, "since", "-"), text_or(group, "until", "-"),
                    group.at("ownership").get<std::string>(), std::to_string(group.at("devices").get<std::uint64_t>())});
  return rows;
}

std::string gate_text(const json& gate) {
  if (!gate.at("connected").get<bool>()) return "not connected: schultor-dns is not running";
  const auto& answers = gate.at("resolver_answers");
  if (answers.is_null()) return "connected, resolver not asked yet";
  return answers.get<bool>() ? "connected, resolver answers" : "connected, resolver does not answer";
}

std::string broker_text(const json& broker) {
  if (broker.is_null()) return "unknown (schultor-report is not running)";
  const auto waiting = broker.at("outbox_depth").get<std::uint64_t>();
  return fmt::format("{}, {} event{} waiting", broker.at("connected").get<bool>() ? "connected" : "not connected", waiting,
                     waiting == 1 ? "" : "s");
}

}  // namespace

std::string align(const Rows& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - width(row[i]) + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

base::Result<std::string> status_text(const json& description) {
  try {
    const Rows head{{"school:", description.at("school").get<std::string>()},
                    {"time:", description.at("time").get<std::string>()},
                    {"version:", description.at("version").get<std::string>()},
                    {"policy:", fmt::format("revision {}", description.at("policy_revision").get<std::uint64_t>())},
                    {"applied:", text_or(description, "applied", "not yet")},
                    {"gate:", gate_text(description.at("gate"))},
                    {"broker:", broker_text(description.at("broker"))}};
    return align(head) + "\n" + align(group_rows(description.at("groups")));
  } catch (const json::exception& error) {
    return base::fail("schultord's answer is not understood ({}): restart it after an update", error.what());
  }
}

}  // namespace schultor::ctl
