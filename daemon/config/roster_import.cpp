// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/roster_import.hpp"

#include "daemon/config/encoding.hpp"
#include "daemon/config/roster_line.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace schultor::config {
namespace {

constexpr std::size_t most_unknown_groups = 1000;
constexpr std::size_t most_addresses = 8;  ///< of one device
constexpr std::size_t longest_quoted = 80;
constexpr std::size_t most_cells = 1000;  ///< whose meaning is remembered

/// Addresses that stand for none: empty ones, and what Android tells programs that may not know.
bool stands_for_none(const base::Mac& mac) { return mac == base::Mac{} || mac == base::Mac{{0x02, 0, 0, 0, 0, 0}}; }

/// Spreadsheets are kept from reading a number by ="…" or an apostrophe.
std::string_view unguarded(std::string_view text) {
  constexpr std::string_view guards = "=\"' \t";
  const auto first = text.find_first_not_of(guards);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(guards) - first + 1);
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 20 && text.find_first_not_of("0123456789.,+E") == std::string_view::npos;
}

class ExportReader {
public:
  ExportReader(const std::string& file, const ExportMap& map, GroupNames& groups, Diagnostics& faults)
      : file_(file), map_(map), groups_(groups), faults_(faults) {}

  base::Result<Export> read(std::string_view text) {
    CsvReader reader(text);
    std::vector<CsvField> fields;
    if (!header(reader, fields)) return tl::unexpected(*failure_);
    while (reader.next(fields) && record(fields)) {
    }
    if (reader.fault()) fault({file_, reader.fault()->line, reader.fault()->column}, reader.fault()->text);
    settle();
    return std::move(export_);
  }

private:
  /// A device as a line has it, before it is held against the others.
  struct Claim {
    RosterDevice device;
    int line = 0;
    int column = 0;
  };

  bool header(CsvReader& reader, std::vector<CsvField>& fields) {
    if (!reader.next(fields)) {
      if (reader.fault())
        failure_ = base::Error(
            fmt::format("{}:{}:{}: error: {}", file_, reader.fault()->line, reader.fault()->column, reader.fault()->text));
      else
        failure_ = base::Error(fmt::format("{}:1:1: error: the file is empty, expected a header line and a device a line", file_));
      return false;
    }
    auto columns = find_columns(map_, fields);
    if (columns) {
      columns_ = *columns;
      width_ = fields.size();
      mac_label_ = one_line(fields[columns_.mac].text);
    } else {
      failure_ = base::Error(fmt::format("{}:{}:1: error: {}", file_, fields.front().line, columns.error().what()));
    }
    return columns.has_value();
  }

  void fault(const Source& where, const std::string& text) {
    faults_.error(where, text);
    export_.whole = false;
  }

  /// False where reading on is of no use.
  bool record(const std::vector<CsvField>& fields) {
    if (std::all_of(fields.begin(), fields.end(), [](const CsvField& field) { return field.text.empty(); })) return true;
    const Source where{file_, fields.front().line, 1};
    const auto needed = std::max({columns_.mac, columns_.group, columns_.name.value_or(0)});
    // A separator that nobody quoted moves what is behind it to a wrong column.
    const bool longer = std::any_of(fields.begin() + static_cast<std::ptrdiff_t>(std::min(width_, fields.size())), fields.end(),
                                    [](const CsvField& field) { return !field.text.empty(); });
    if (fields.size() <= needed || longer) {
      fault(where, fmt::format("{} field{}, expected {} as in the header", fields.size(), fields.size() == 1 ? "" : "s", width_));
      return true;
    }
    const auto macs = addresses(fields[columns_.mac]);
    if (macs.empty()) return true;
    for (const auto& mac : macs) export_.seen.push_back(mac);
    const auto* group = group_of(fields[columns_.group]);
    if (group == nullptr) return true;
    if (claims_.size() + macs.size() > most_roster_devices) {
      fault(where, fmt::format("more than {} devices: what follows is not read", most_roster_devices));
      return false;
    }
    auto name = columns_.name ? shortened(one_line(fields[*columns_.name].text), longest_device_name) : std::string{};
    // Whoever shortens a text may have left a blank at its end.
    if (!name.empty() && name.back() == ' ') name.pop_back();
    for (const auto& mac : macs) claims_.push_back({{mac, *group, name}, fields[columns_.mac].line, fields[columns_.mac].column});
    return true;
  }

  /// The addresses of a cell. None where there is none, which is counted or told.
  std::vector<base::Mac> addresses(const CsvField& cell) {
    std::vector<base::Mac> macs;
    bool faulty = false;
    std::string_view rest = cell.text;
    while (!rest.empty() && !faulty) {
      const auto end = std::min(rest.find_first_of(",;|/ \t\r\n"), rest.size());
      const auto part = unguarded(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (part.empty()) continue;
      const auto mac = base::parse_mac(part);
      faulty = !mac || (mac->octets[0] & 0x01U) != 0 || macs.size() == most_addresses;
      if (!faulty && !stands_for_none(*mac) && std::find(macs.begin(), macs.end(), *mac) == macs.end()) macs.push_back(*mac);
      if (faulty) fault({file_, cell.line, cell.column}, refusal(part, mac.has_value(), macs.size()));
    }
    if (faulty) macs.clear();
    else if (macs.empty()) ++export_.without_address;
    return macs;
  }

  std::string refusal(std::string_view part, bool is_mac, std::size_t before) const {
    const auto quoted = shortened(std::string(part), longest_quoted);
    if (before == most_addresses)
      return fmt::format("column “{}”: more than {} addresses of one device", mac_label_, most_addresses);
    if (is_mac) return fmt::format("column “{}”: “{}” is no device's address: it is a group's", mac_label_, quoted);
    return fmt::format("column “{}”: “{}” is no MAC address: expected six octets such as 02:77:00:00:00:01{}", mac_label_, quoted,
                       is_number(part) ? "; a spreadsheet has made a number of it: import that column as text" : "");
  }

  /// The school's group that a cell means; none where there is none, which is counted or told.
  const std::string* group_of(const CsvField& cell) {
    // Most cells are one of few.
    auto known = cells_.find(cell.text);
    if (known == cells_.end() && cells_.size() >= most_cells) cells_.clear();
    if (known == cells_.end()) known = cells_.emplace(cell.text, groups_.find(cell.text)).first;
    const auto& found = known->second;
    if (found.groups.size() == 1) return &found.groups.front();
    if (found.groups.size() > 1) {
      std::string list;
      for (const auto& group : found.groups) list += fmt::format("{}“{}”", list.empty() ? "" : ", ", group);
      // The device is known, only not where it belongs: it is not missing.
      faults_.error(
          {file_, cell.line, cell.column},
          fmt::format("the device is in several of the school's groups, {}: expected one; --rename \"NAME=\" leaves one out",
                      list));
    } else if (!found.unknown.empty()) {
      for (const auto& name : found.unknown) {
        if (export_.unknown.size() < most_unknown_groups || export_.unknown.contains(name)) ++export_.unknown[name];
        else export_.more_unknown = true;
      }
    } else {
      ++(found.left_out ? export_.left_out : export_.without_group);
    }
    return nullptr;
  }

  /// A device is taken once; of lines that put it into different groups none is.
  void settle() {
    std::sort(export_.seen.begin(), export_.seen.end());
    export_.seen.erase(std::unique(export_.seen.begin(), export_.seen.end()), export_.seen.end());
    std::unordered_map<std::string, std::size_t> first;
    std::vector<bool> refused(claims_.size());
    first.reserve(claims_.size());
    for (std::size_t i = 0; i < claims_.size(); ++i) {
      const auto mac = base::to_string(claims_[i].device.mac);
      const auto [at, fresh] = first.try_emplace(mac, i);
      if (fresh) continue;
      const auto& [known, other] = std::pair<const Claim&, const Claim&>(claims_[at->second], claims_[i]);
      refused[i] = true;
      const Source where{file_, other.line, other.column};
      if (known.device.group == other.device.group) {
        faults_.warning(where, fmt::format("{} stands there twice, first at {}:{}, which is taken", mac, file_, known.line));
        continue;
      }
      refused[at->second] = true;
      faults_.error(where, fmt::format("{} stands there twice, for “{}” and, at {}:{}, for “{}”: none is taken", mac,
                                       other.device.group, file_, known.line, known.device.group));
    }
    for (std::size_t i = 0; i < claims_.size(); ++i)
      if (!refused[i]) export_.devices.push_back(std::move(claims_[i].device));
  }

  const std::string& file_;
  const ExportMap& map_;
  GroupNames& groups_;
  Diagnostics& faults_;
  ExportColumns columns_;
  std::size_t width_ = 0;
  std::string mac_label_;
  std::optional<base::Error> failure_;
  std::unordered_map<std::string, GroupNames::Found> cells_;
  std::vector<Claim> claims_;
  Export export_;
};

}  // namespace

base::Result<Export> read_export(std::string_view text, const std::string& file, const ExportMap& map, GroupNames& groups,
                                 Diagnostics& faults) {
  if (text.size() > largest_export) return base::fail("{}:1:1: error: the file is larger than {} MiB", file, largest_export >> 20U);
  const auto utf8 = utf8_from_any(text);
  auto read = ExportReader(file, map, groups, faults).read(utf8);
  if (!read) return read;
  for (const auto& name : groups.unused())
    faults.warning({file, 0, 0}, fmt::format("--rename: no device of the export has the group “{}”", name));
  return read;
}

RosterEdits RosterDifference::edits() const {
  RosterEdits edits;
  for (const auto& move : moved) edits.set.push_back(move.device);
  for (const auto& rename : renamed)
    if (!rename.moved) edits.set.push_back(rename.device);
  for (const auto& device : added) edits.set.push_back(device);
  if (removes)
    for (const auto& device : missing) edits.remove.push_back(device.mac);
  return edits;
}

RosterDifference compare(const Export& read, const std::vector<RosterEntry>& roster, const CompareOptions& options) {
  RosterDifference difference;
  difference.removes = options.remove_missing;
  std::vector<std::pair<base::Mac, const RosterEntry*>> known;
  known.reserve(roster.size());
  for (const auto& entry : roster) known.emplace_back(entry.mac, &entry);
  std::sort(known.begin(), known.end());
  for (auto device : read.devices) {
    const auto at =
        std::lower_bound(known.begin(), known.end(), device.mac, [](const auto& a, const base::Mac& b) { return a.first < b; });
    if (!options.names) device.name.clear();
    if (at == known.end() || at->first != device.mac) {
      difference.added.push_back(std::move(device));
      continue;
    }
    const auto& entry = *at->second;
    if (device.name.empty()) device.name = entry.name;
    const bool moves = entry.group.value != device.group;
    const bool renames = entry.name != device.name;
    if (moves) difference.moved.push_back({device, entry.group.value});
    if (renames) difference.renamed.push_back({device, entry.name, moves});
    if (!moves && !renames) ++difference.unchanged;
  }
  for (const auto& entry : roster)
    if (!std::binary_search(read.seen.begin(), read.seen.end(), entry.mac))
      difference.missing.push_back({entry.mac, entry.group.value, entry.name});
  return difference;
}

}  // namespace schultor::config
