// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// A map in the first line, a rename in the second one; a roster up to a line "==="; then an export, in any encoding.
#include "daemon/base/text.hpp"
#include "daemon/config/encoding.hpp"
#include "daemon/config/file_readers.hpp"
#include "daemon/config/roster_import.hpp"
#include "daemon/config/roster_line.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string_view>

using namespace schultor;
using namespace schultor::config;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// What is shown goes to a terminal.
void require_printable(const std::string& text) {
  for (const char c : text) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

std::vector<RosterEntry> entries_of(std::string_view roster, bool& valid) {
  Diagnostics faults;
  auto entries = read_roster(roster, "roster.csv", faults);
  valid = roster.empty() || !faults.has_errors();
  return entries;
}

void check(const Export& read, const GroupNames& groups) {
  require(read.devices.size() <= most_roster_devices);
  require(std::is_sorted(read.seen.begin(), read.seen.end()));
  std::set<base::Mac> once;
  for (const auto& device : read.devices) {
    require(once.insert(device.mac).second);
    require(std::binary_search(read.seen.begin(), read.seen.end(), device.mac));
    require(groups.has(device.group));
    require(base::is_utf8(device.name) && device.name == one_line(device.name) && device.name.size() <= longest_device_name);
    require_printable(device.name);
  }
  for (const auto& [name, count] : read.unknown) {
    require(count > 0 && !groups.has(name) && base::is_utf8(name));
    require_printable(name);
  }
}

/// What is written is what was shown, and leaves nothing to be written.
void check_written(std::string_view roster, const Export& read, bool removes) {
  bool valid = false;
  const auto before = entries_of(roster, valid);
  if (!valid) return;
  const bool with_names = has_names(roster);
  const auto difference = compare(read, before, {with_names, removes});
  const auto edited = edit_roster(roster, difference.edits());
  require(edited.has_value());
  const auto after = entries_of(*edited, valid);
  require(valid);
  require(after.size() == before.size() + difference.added.size() - (removes ? difference.missing.size() : 0));
  const auto again = compare(read, after, {with_names, removes});
  require(!again.changes() && again.unchanged == read.devices.size());
  if (!roster.empty() && !difference.changes()) require(*edited == roster);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input{reinterpret_cast<const char*>(data), size};
  const auto map = parse_export_map(take_line(input));
  const auto rename = std::string(take_line(input));
  const auto end = std::min(input.find("===\n"), input.size());
  const auto roster = input.substr(0, end);
  input.remove_prefix(std::min(end + 4, input.size()));
  auto groups = GroupNames::of({"3a", "3b", "3B", "lehrkräfte"}, rename.empty() ? std::vector<std::string>{} : std::vector{rename});
  if (!map || !groups) return 0;

  require(base::is_utf8(utf8_from_any(input)));
  Diagnostics faults;
  const auto read = read_export(input, "export.csv", *map, *groups, faults);
  for (const auto& diagnostic : std::move(faults).take()) require_printable(to_string(diagnostic));
  if (!read) return 0;
  check(*read, *groups);
  check_written(roster, *read, false);
  check_written(roster, *read, true);
  return 0;
}
