// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/export_map.hpp"

#include "daemon/config/diagnostic.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace schultor::config {
namespace {

constexpr std::size_t most_named = 40;  ///< of the columns that were found
constexpr std::size_t most_groups_of_a_cell = 8;
constexpr std::size_t most_unknown_of_a_cell = 64;

/// ASCII and the letters of ISO 8859-1, which German column names have.
std::string lower(std::string_view text) {
  std::string lowered(text);
  for (std::size_t i = 0; i < lowered.size(); ++i) {
    const auto octet = static_cast<unsigned char>(lowered[i]);
    const auto before = i > 0 ? static_cast<unsigned char>(lowered[i - 1]) : 0U;
    const bool capital = (octet >= 'A' && octet <= 'Z') || (before == 0xc3 && octet >= 0x80 && octet < 0x9f && octet != 0x97);
    if (capital) lowered[i] = static_cast<char>(octet + 32U);
  }
  return lowered;
}

/// "Wi-Fi MAC", "WiFiMAC" and "wifi_mac" are one.
std::string column_key(std::string_view text) {
  auto key = lower(text);
  std::erase_if(key,
                [](char c) { return static_cast<unsigned char>(c) < 0x80 && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'); });
  return key;
}

struct Preset {
  std::string_view name;
  ExportMap map;
};

/// "LocationName" and the like stand last: they name a school rather than a class, but smaller schools use them so.
const std::array<Preset, 3>& presets() {
  static const std::array<Preset, 3> list{{
      {"jamf-school",
       {{"Wi-Fi MAC", "Wi-Fi MAC address", "WLAN-MAC", "WLAN-MAC-Adresse", "MAC address", "MAC-Adresse"},
        {"Member of", "Device group(s)", "Device group", "Groups", "Group", "Mitglied von", "Gerätegruppe(n)", "Gerätegruppen",
         "Gerätegruppe", "Gruppen", "Gruppe", "Class", "Klasse", "Location name", "Location", "Standort"},
        {"Name", "Device name", "Gerätename", "Name des Geräts"}}},
      {"relution",
       {{"Wi-Fi MAC", "Wi-Fi MAC address", "WLAN-MAC", "WLAN-MAC-Adresse", "MAC address", "MAC-Adresse", "MAC"},
        {"Device group(s)", "Device group", "Groups", "Group", "Gerätegruppe(n)", "Gerätegruppen", "Gerätegruppe", "Gruppen",
         "Gruppe", "Class", "Klasse", "Tags", "Organization", "Organisation"},
        {"Device name", "Name", "Gerätename", "Name des Geräts"}}},
      {"intune",
       {{"Wi-Fi MAC", "Wi-Fi MAC address", "WLAN-MAC", "WLAN-MAC-Adresse", "WLAN MAC-Adresse", "MAC address", "MAC-Adresse"},
        {"Category", "Device category", "Category name", "Device category display name", "Kategorie", "Gerätekategorie",
         "Group tag", "Gruppentag"},
        {"Device name", "Gerätename", "Name des Geräts", "Name", "Management name", "Verwaltungsname"}}},
  }};
  return list;
}

std::vector<std::string>* column_of(ExportMap& map, std::string_view key) {
  return key == "mac" ? &map.mac : key == "group" ? &map.group : key == "name" ? &map.name : nullptr;
}

/// Of the better names the first that the header has; a column with the very spelling comes before others.
std::optional<std::size_t> find_column(const std::vector<std::string>& names, const std::vector<CsvField>& header) {
  for (const auto& name : names) {
    const auto exact = std::find_if(header.begin(), header.end(), [&](const CsvField& field) { return field.text == name; });
    if (exact != header.end()) return static_cast<std::size_t>(exact - header.begin());
    const auto key = column_key(name);
    for (std::size_t i = 0; i < header.size(); ++i)
      if (!key.empty() && column_key(header[i].text) == key) return i;
  }
  return std::nullopt;
}

/// The inside of "[A,B]": a list, if its first bracket is closed by its last one. Else all of it.
std::string_view without_list_brackets(std::string_view cell) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = cell.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  const auto text = cell.substr(first, cell.find_last_not_of(blanks) - first + 1);
  if (text.front() != '[') return text;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    depth += text[i] == '[' ? 1 : text[i] == ']' ? -1 : 0;
    if (depth == 0) return i + 1 == text.size() ? text.substr(1, text.size() - 2) : text;
  }
  return text;
}

std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), most_named); ++i)
    list += fmt::format("{}“{}”", i == 0 ? "" : ", ", shortened(one_line(names[i]), 64));
  return list + (names.size() > most_named ? ", …" : "");
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool blank = static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
    if (!blank) line += c;
    else if (!line.empty() && line.back() != ' ') line += ' ';
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0U) == 0x80U) --most;
  text.resize(most);
  return text;
}

std::string folded(std::string_view text) { return lower(one_line(text)); }

base::Result<ExportMap> parse_export_map(std::string_view text) {
  for (const auto& preset : presets())
    if (lower(text) == preset.name) return preset.map;
  constexpr std::string_view expected = "expected jamf-school, relution, intune or “mac=COLUMN,group=COLUMN,name=COLUMN”";
  if (text.find('=') == std::string_view::npos) {
    const auto near = nearest(text, {"jamf-school", "relution", "intune"});
    return near.empty() ? base::Result<ExportMap>(base::fail("--map: there is no “{}”, {}", text, expected))
                        : base::Result<ExportMap>(base::fail("--map: there is no “{}”; did you mean “{}”?", text, near));
  }
  ExportMap map;
  std::vector<std::string>* column = nullptr;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    const auto part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto equals = part.find('=');
    auto* named = equals == std::string_view::npos ? nullptr : column_of(map, lower(one_line(part.substr(0, equals))));
    if (named != nullptr) {
      if (!named->empty()) return base::fail("--map: “{}” stands there twice, {}", part.substr(0, equals), expected);
      named->push_back(one_line(part.substr(equals + 1)));
    } else if (column != nullptr) {
      // The column's name has a comma.
      column->back() += fmt::format(",{}", part);
    } else {
      return base::fail("--map: “{}” names no column, {}", part, expected);
    }
    column = named != nullptr ? named : column;
  }
  for (const auto& [key, names] : {std::pair{"mac", &map.mac}, std::pair{"group", &map.group}})
    if (names->empty() || names->front().empty()) return base::fail("--map: {}=COLUMN is missing, {}", key, expected);
  if (!map.name.empty() && map.name.front().empty()) return base::fail("--map: name= names no column, {}", expected);
  return map;
}

base::Result<ExportColumns> find_columns(const ExportMap& map, const std::vector<CsvField>& header) {
  const auto mac = find_column(map.mac, header);
  const auto group = find_column(map.group, header);
  const auto name = find_column(map.name, header);
  if (mac && group && (name || map.name.size() != 1)) return ExportColumns{*mac, *group, name};
  std::vector<std::string> found;
  for (const auto& field : header) found.push_back(field.text);
  std::string missing;
  const auto lacks = [&](std::string_view what, const std::vector<std::string>& names) {
    missing += fmt::format("{}no column for the {} (expected {}{})", missing.empty() ? "" : ", ", what,
                           names.size() > 1 ? "one of " : "", listed(names));
  };
  if (!mac) lacks("MAC address", map.mac);
  if (!group) lacks("group", map.group);
  if (!name && map.name.size() == 1) lacks("name", map.name);
  return base::fail("{}; found {}; --map \"mac=COLUMN,group=COLUMN,name=COLUMN\" names others", missing, listed(found));
}

base::Result<GroupNames> GroupNames::of(const std::vector<std::string>& groups, const std::vector<std::string>& renames) {
  GroupNames names;
  names.groups_.insert(groups.begin(), groups.end());
  for (const auto& group : names.groups_) {
    const auto [at, fresh] = names.known_.try_emplace(folded(group), group);
    if (!fresh) at->second.clear();
  }
  for (const auto& rename : renames) {
    const auto equals = rename.rfind('=');
    const auto name = one_line(std::string_view(rename).substr(0, std::min(equals, rename.size())));
    if (equals == std::string::npos || name.empty())
      return base::fail("--rename: “{}” is no NAME=GROUP, expected the export's name, “=” and a group of the school", rename);
    const auto group = one_line(std::string_view(rename).substr(equals + 1));
    if (!group.empty() && !names.has(group))
      return base::fail("--rename: there is no group “{}”{}", group, names.suggestion_for(group));
    const auto [at, fresh] = names.renames_.try_emplace(folded(name), Rename{name, group});
    if (!fresh && at->second.group != group)
      return base::fail("--rename: “{}” is to be “{}” and “{}”, expected one of them", name, at->second.group, group);
  }
  return names;
}

std::string GroupNames::suggestion_for(std::string_view group) const { return suggestion(group, {groups_.begin(), groups_.end()}); }

/// Whether the name means a group or is to be left out.
bool GroupNames::take(std::string_view name, Found& found) {
  const auto key = folded(name);
  std::string group;
  if (const auto rename = renames_.find(key); rename != renames_.end()) {
    rename->second.used = true;
    found.left_out = found.left_out || rename->second.group.empty();
    group = rename->second.group;
    if (group.empty()) return true;
  } else if (has(name)) {
    group = name;
  } else if (const auto known = known_.find(key); known != known_.end()) {
    group = known->second;
  }
  if (group.empty()) return false;
  const bool fresh = std::find(found.groups.begin(), found.groups.end(), group) == found.groups.end();
  if (fresh && found.groups.size() < most_groups_of_a_cell) found.groups.push_back(group);
  return true;
}

GroupNames::Found GroupNames::find(std::string_view cell) {
  Found found;
  if (const auto whole = one_line(cell); whole.empty() || take(whole, found)) return found;
  auto rest = without_list_brackets(cell);
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of(",;|\n\r"), rest.size());
    const auto name = one_line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (name.empty() || take(name, found) || found.unknown.size() >= most_unknown_of_a_cell) continue;
    if (std::find(found.unknown.begin(), found.unknown.end(), name) == found.unknown.end()) found.unknown.push_back(name);
  }
  // A device is in many groups of which the gateway knows one.
  if (!found.groups.empty() || found.left_out) found.unknown.clear();
  found.left_out = found.left_out && found.groups.empty();
  return found;
}

std::vector<std::string> GroupNames::unused() const {
  std::vector<std::string> list;
  for (const auto& [key, rename] : renames_)
    if (!rename.used) list.push_back(rename.name);
  return list;
}

std::string GroupNames::likely(std::string_view name) const {
  const auto key = folded(name);
  const auto last_word = key.substr(key.rfind(' ') + 1);
  if (const auto known = known_.find(last_word); known != known_.end()) return known->second;
  return std::string(nearest(name, {groups_.begin(), groups_.end()}));
}

}  // namespace schultor::config
