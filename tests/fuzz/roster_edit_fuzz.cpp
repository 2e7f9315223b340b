// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// Edits, a line each: "set MAC|GROUP|NAME" or "remove MAC"; a line "==="; then a roster. What is read holds what a roster promises,
// and what is written reads back as the old devices with the edits applied.
#include "daemon/base/text.hpp"
#include "daemon/config/file_readers.hpp"
#include "daemon/config/roster_edit.hpp"
#include "daemon/config/roster_line.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <string_view>

using namespace schultor;
using namespace schultor::config;

namespace {

using Devices = std::map<base::Mac, RosterDevice>;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Input {
  RosterEdits edits;
  bool fair = true;  ///< the edits are such as must be possible
  std::string_view roster;
};

void add_edit(std::string_view line, Input& input, std::set<base::Mac>& used) {
  const bool sets = line.substr(0, 4) == "set ";
  if (!sets && line.substr(0, 7) != "remove ") return;
  auto rest = line.substr(sets ? 4 : 7);
  const auto take = [&] {
    const auto end = std::min(rest.find('|'), rest.size());
    const auto part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return std::string(part);
  };
  const auto mac = base::parse_mac(take());
  if (!mac || !used.insert(*mac).second) return;
  if (!sets) {
    input.edits.remove.push_back(*mac);
    return;
  }
  RosterDevice device{*mac, take(), std::string(rest)};
  input.fair = input.fair && (mac->octets[0] & 0x01U) == 0 && *mac != base::Mac{} && is_label(device.group) &&
               base::is_utf8(device.group) && base::is_utf8(device.name) && device.name.size() <= longest_device_name &&
               !device.name.ends_with('\n');
  input.edits.set.push_back(std::move(device));
}

Input parse(std::string_view text) {
  Input input;
  std::set<base::Mac> used;
  while (!text.empty()) {
    const auto line = take_line(text);
    if (line == "===") break;
    add_edit(line, input, used);
  }
  input.roster = text;
  return input;
}

/// The devices of a roster; none where it has an error.
std::optional<Devices> read(std::string_view text) {
  Diagnostics faults;
  const auto entries = read_roster(text, "roster.csv", faults);
  const bool valid = !faults.has_errors();
  for (const auto& diagnostic : std::move(faults).take())
    for (const char c : to_string(diagnostic)) require(static_cast<unsigned char>(c) >= 0x20);
  Devices devices;
  for (const auto& entry : entries) {
    require((entry.mac.octets[0] & 0x01U) == 0 && entry.mac != base::Mac{});
    require(is_label(entry.group.value) && base::is_utf8(entry.group.value) && base::is_utf8(entry.name));
    require(entry.name.size() <= longest_device_name && entry.group.source.line > 0);
    require(devices.emplace(entry.mac, RosterDevice{entry.mac, entry.group.value, entry.name}).second);
  }
  return valid ? std::optional(devices) : std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [edits, fair, roster] = parse({reinterpret_cast<const char*>(data), size});
  auto wanted = read(roster);
  if (roster.empty()) wanted = Devices{};
  const auto edited = edit_roster(roster, edits);
  require(wanted.has_value() || !edited.has_value());
  if (!wanted) return 0;
  require(edited.has_value() || !fair);
  if (!edited) return 0;

  for (const auto& mac : edits.remove) wanted->erase(mac);
  for (auto device : edits.set) {
    if (!has_names(roster)) device.name.clear();
    wanted->insert_or_assign(device.mac, device);
  }
  require(read(*edited) == wanted);
  require(edit_roster(*edited, edits).value() == *edited);
  if (!roster.empty()) require(edit_roster(roster, {}).value() == roster);
  return 0;
}
