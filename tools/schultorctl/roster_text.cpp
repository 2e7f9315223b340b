// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/roster_text.hpp"

#include "tools/schultorctl/diagnostics_json.hpp"

#include <algorithm>

namespace schultor::ctl {
namespace {

using json = nlohmann::ordered_json;

std::string named(const std::string& name) { return name.empty() ? "" : fmt::format("  “{}”", config::one_line(name)); }

std::string devices(std::size_t count) { return fmt::format("{} device{}", count, count == 1 ? "" : "s"); }

json device_json(const config::RosterDevice& device) {
  return {{"mac", base::to_string(device.mac)}, {"group", device.group}, {"name", device.name}};
}

std::string changes_text(const ImportReport& report) {
  const auto& difference = report.difference;
  std::string text;
  const auto line = [&](std::string_view what, const config::RosterDevice& device, const std::string& rest) {
    text += fmt::format("{:<9}  {}  {}\n", what, base::to_string(device.mac), rest);
  };
  for (const auto& device : difference.added) line("added", device, device.group + named(device.name));
  for (const auto& [device, from] : difference.moved)
    line("moved", device, fmt::format("{} → {}{}", from, device.group, named(device.name)));
  for (const auto& [device, from, moved] : difference.renamed)
    line("renamed", device, fmt::format("{}  “{}” → “{}”", device.group, config::one_line(from), device.name));
  for (const auto& device : difference.missing)
    line(difference.removes ? "removed" : "missing", device, device.group + named(device.name));
  return text;
}

std::string not_imported_text(const ImportReport& report, const config::GroupNames& groups) {
  std::string text;
  for (const auto& [name, count] : report.read.unknown) {
    const auto likely = groups.likely(name);
    text += fmt::format("unknown    “{}” is no group of the school: {} not imported; --rename \"{}={}\" maps it\n", name,
                        devices(count), name, likely.empty() ? "GROUP" : likely);
  }
  if (report.read.more_unknown) text += "unknown    there are more names that are no group of the school\n";
  const auto skipped = [&](std::size_t count, std::string_view why) {
    if (count > 0) text += fmt::format("skipped    {} {}\n", devices(count), why);
  };
  skipped(report.read.without_address, "without a Wi-Fi address");
  skipped(report.read.without_group, "without a group");
  skipped(report.read.left_out, "left out by --rename \"NAME=\"");
  return text;
}

std::string outcome(const ImportReport& report) {
  if (report.written) return "roster.csv is written";
  if (!report.difference.changes()) return "nothing to write";
  return report.asked_to_write ? "nothing is written" : "nothing is written without --write";
}

}  // namespace

std::string import_text(const ImportReport& report, const config::GroupNames& groups) {
  const auto& difference = report.difference;
  auto text = changes_text(report) + not_imported_text(report, groups);
  if (report.kept_missing)
    text +=
        "kept       the missing devices, despite --remove-missing: the export has lines that could not be read, or no devices\n";
  else if (!difference.removes && !difference.missing.empty())
    text += "kept       the missing devices; --remove-missing takes them out\n";
  if (!report.with_names &&
      std::any_of(report.read.devices.begin(), report.read.devices.end(), [](const auto& one) { return !one.name.empty(); }))
    text += "kept       the roster without names: its header has no column “name”\n";
  return text + fmt::format("{} added, {} moved, {} renamed, {} {}, {} unchanged: {}\n", difference.added.size(),
                            difference.moved.size(), difference.renamed.size(), difference.missing.size(),
                            difference.removes ? "removed" : "missing", difference.unchanged, outcome(report));
}

json import_json(const ImportReport& report) {
  const auto& difference = report.difference;
  json added = json::array(), moved = json::array(), renamed = json::array(), missing = json::array(), unknown = json::array();
  for (const auto& device : difference.added) added.push_back(device_json(device));
  for (const auto& [device, from] : difference.moved)
    moved.push_back({{"mac", base::to_string(device.mac)}, {"from", from}, {"to", device.group}, {"name", device.name}});
  for (const auto& [device, from, also_moved] : difference.renamed)
    renamed.push_back({{"mac", base::to_string(device.mac)}, {"group", device.group}, {"from", from}, {"to", device.name}});
  for (const auto& device : difference.missing) missing.push_back(device_json(device));
  for (const auto& [name, count] : report.read.unknown) unknown.push_back({{"name", name}, {"devices", count}});
  return {{"export", report.export_file},
          {"written", report.written},
          {"added", added},
          {"moved", moved},
          {"renamed", renamed},
          {"missing", missing},
          {"missing_removed", difference.removes},
          {"unchanged", difference.unchanged},
          {"unknown_groups", unknown},
          {"without_address", report.read.without_address},
          {"without_group", report.read.without_group},
          {"left_out", report.read.left_out},
          {"problems", diagnostics_json(report.problems)}};
}

}  // namespace schultor::ctl
