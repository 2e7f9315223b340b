// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/file_readers.hpp"
#include "tools/schultorctl/commands.hpp"
#include "tools/schultorctl/roster_file.hpp"
#include "tools/schultorctl/roster_text.hpp"

#include <algorithm>
#include <utility>

namespace schultor::ctl {
namespace {

/// Prints them; whether one is an error.
bool complain_of(const std::vector<config::Diagnostic>& diagnostics) {
  for (const auto& one : diagnostics) fmt::print(stderr, "{}\n", config::to_string(one));
  return config::has_errors(diagnostics);
}

/// The names of the school's groups, or nothing once it is said what is wrong with school.toml.
std::optional<std::vector<std::string>> school_groups(const std::string& directory) {
  config::Need need;
  need.school = true;
  const auto loaded = config::load(directory, need);
  if (!loaded.config) {
    complain_of(loaded.diagnostics);
    return std::nullopt;
  }
  std::vector<std::string> names;
  for (const auto& group : loaded.config->school.groups) names.push_back(group.name.value);
  return names;
}

/// roster.csv as it is.
struct Roster {
  std::optional<std::string> text;  ///< none: there is no such file
  std::vector<config::RosterEntry> entries;
  bool with_names = true;
};

std::optional<Roster> read_roster_of(const std::string& path) {
  auto text = read_whole(path, config::largest_file);
  if (!text) {
    complain(text.error().what());
    return std::nullopt;
  }
  Roster roster{std::move(*text), {}, true};
  if (!roster.text || roster.text->empty()) return roster;
  config::Diagnostics faults;
  roster.entries = config::read_roster(*roster.text, "roster.csv", faults);
  roster.with_names = config::has_names(*roster.text);
  if (complain_of(std::move(faults).take())) return std::nullopt;
  return roster;
}

/// Devices of groups that the school no longer has, and that stay where they are: such a roster would not be valid.
void refuse_lost_groups(const Roster& roster, const config::RosterDifference& difference, const config::GroupNames& groups,
                        config::Diagnostics& faults) {
  std::vector<base::Mac> mended;
  for (const auto& move : difference.moved) mended.push_back(move.device.mac);
  if (difference.removes)
    for (const auto& device : difference.missing) mended.push_back(device.mac);
  std::sort(mended.begin(), mended.end());
  for (const auto& entry : roster.entries)
    if (!groups.has(entry.group.value) && !std::binary_search(mended.begin(), mended.end(), entry.mac))
      faults.error(entry.group.source, fmt::format("there is no group “{}”{}: nothing is written before this line is mended",
                                                   entry.group.value, groups.suggestion_for(entry.group.value)));
}

/// Writes what is to be written. False, once it is said why, where that failed.
bool write(const std::string& path, const Roster& roster, ImportReport& report) {
  const auto& difference = report.difference;
  // A roster that is not there yet is made, also where nobody is in it.
  if (!difference.changes() && roster.text && !roster.text->empty()) return true;
  const auto edited = config::edit_roster(roster.text.value_or(""), difference.edits());
  if (!edited) {
    complain(edited.error().what());
    return false;
  }
  if (edited->size() > config::largest_file) {
    complain(fmt::format("roster.csv would be larger than {} MiB", config::largest_file >> 20U));
    return false;
  }
  if (auto replaced = replace_whole(path, roster.text, *edited); !replaced) {
    complain(replaced.error().what());
    return false;
  }
  report.written = true;
  return true;
}

/// Reads the export and holds it against the roster. None, once it is said why, where it cannot be read.
std::optional<ImportReport> examine(const Request& request, const Roster& roster, config::GroupNames& groups,
                                    const config::ExportMap& map, config::Diagnostics& faults) {
  const auto& file = request.arguments.back();
  const auto text = read_whole(file, config::largest_export);
  if (!text || !*text) {
    complain(text ? fmt::format("{}: there is no such file", file) : text.error().what());
    return std::nullopt;
  }
  auto read = config::read_export(**text, file, map, groups, faults);
  if (!read) {
    fmt::print(stderr, "{}\n", read.error().what());
    return std::nullopt;
  }
  // Who cannot be sure of what is missing takes nothing out.
  const bool removes = request.remove_missing && read->whole && !read->seen.empty();
  ImportReport report;
  report.export_file = file;
  report.difference = config::compare(*read, roster.entries, {roster.with_names, removes});
  report.kept_missing = request.remove_missing && !removes && !report.difference.missing.empty();
  report.read = std::move(*read);
  report.with_names = roster.with_names;
  report.asked_to_write = request.write;
  return report;
}

}  // namespace

Exit roster(const Request& request) {
  const auto map = config::parse_export_map(*request.map);
  if (!map) {
    complain(map.error().what());
    return Exit::failed;
  }
  const auto names = school_groups(request.directory);
  if (!names) return Exit::failed;
  auto groups = config::GroupNames::of(*names, request.renames);
  if (!groups) {
    complain(groups.error().what());
    return Exit::failed;
  }
  const auto path = request.directory + "/roster.csv";
  const auto roster = read_roster_of(path);
  if (!roster) return Exit::failed;
  config::Diagnostics faults, of_roster;
  auto report = examine(request, *roster, *groups, *map, faults);
  if (!report) return Exit::failed;
  refuse_lost_groups(*roster, report->difference, *groups, of_roster);
  const bool writable = !of_roster.has_errors();
  faults.append(std::move(of_roster).take());
  report->problems = std::move(faults).take();
  const bool failed = request.write && writable && !write(path, *roster, *report);
  if (request.json) {
    fmt::print("{}\n", import_json(*report).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } else {
    // The sums stand last, where they are seen.
    complain_of(report->problems);
    fmt::print("{}", import_text(*report, *groups));
  }
  if (failed) return Exit::failed;
  return config::has_errors(report->problems) || !report->read.unknown.empty() ? Exit::no : Exit::yes;
}

}  // namespace schultor::ctl
