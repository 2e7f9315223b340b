// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/roster_edit.hpp"

#include "daemon/config/file_readers.hpp"
#include "daemon/config/roster_line.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace schultor::config {
namespace {

constexpr std::string_view file = "roster.csv";
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

/// The devices by address, or the first thing that is wrong with the text.
base::Result<std::map<base::Mac, RosterDevice>> read(std::string_view text) {
  Diagnostics faults;
  auto entries = read_roster(text, std::string(file), faults);
  if (faults.has_errors()) return base::fail("{}", to_string(std::move(faults).take().front()));
  std::map<base::Mac, RosterDevice> devices;
  for (auto& entry : entries)
    devices.emplace(entry.mac, RosterDevice{entry.mac, std::move(entry.group.value), std::move(entry.name)});
  return devices;
}

std::string field(std::string_view text) {
  // Blanks and control characters within quotes stay what they are, wherever they stand.
  const bool plain =
      std::none_of(text.begin(), text.end(),
                   [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == ',' || c == ';' || c == '"'; }) &&
      (text.empty() || (text.front() != ' ' && text.back() != ' '));
  if (plain) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

std::string line_of(std::string_view mac, const RosterDevice& device, const RosterLayout& layout) {
  auto line = std::string(mac) + layout.separator + field(device.group);
  if (layout.columns > 2 && !device.name.empty()) line += layout.separator + field(device.name);
  return line;
}

/// The first line of `text` with its line end, which goes from it.
std::string_view take_whole_line(std::string_view& text) {
  const auto before = text;
  (void)take_line(text);
  return before.substr(0, before.size() - text.size());
}

class Editor {
public:
  explicit Editor(const RosterEdits& edits) : remove_(edits.remove.begin(), edits.remove.end()) {
    for (const auto& device : edits.set) set_.emplace(device.mac, &device);
  }

  std::string edit(std::string_view text, const RosterEdits& edits) {
    if (text.empty()) text = "mac,group,name\n";
    edited_.reserve(text.size() + edits.set.size() * 48);
    if (text.substr(0, byte_order_mark.size()) == byte_order_mark) {
      edited_ = byte_order_mark;
      text.remove_prefix(byte_order_mark.size());
    }
    while (!text.empty()) line(take_whole_line(text));
    for (const auto& device : edits.set)
      if (set_.contains(device.mac)) add(line_of(base::to_string(device.mac), device, layout_.value_or(RosterLayout{})));
    return std::move(edited_);
  }

private:
  void line(std::string_view whole) {
    auto rest = whole;
    const auto text = take_line(rest);
    const auto end = whole.substr(text.size());
    const bool header = !layout_ && !is_roster_remark(text);
    if (header) layout_ = roster_layout(text);
    if (end.ends_with('\n')) end_ = end;
    if (header || is_roster_remark(text) || !split_roster_line(text, layout_->separator, fields_)) {
      edited_ += whole;
      return;
    }
    const auto mac = base::parse_mac(fields_.front().text);
    if (mac && remove_.contains(*mac)) return;
    const auto wanted = mac ? set_.find(*mac) : set_.end();
    if (wanted == set_.end()) {
      edited_ += whole;
      return;
    }
    edited_ += line_of(fields_.front().text, *wanted->second, *layout_);
    edited_ += end;
    set_.erase(wanted);
  }

  void add(const std::string& line) {
    // The last line may lack its end, or half of it.
    if (edited_.ends_with('\r')) edited_ += '\n';
    else if (!edited_.empty() && !edited_.ends_with('\n')) edited_ += end_;
    edited_ += line;
    edited_ += end_;
  }

  std::set<base::Mac> remove_;
  std::map<base::Mac, const RosterDevice*> set_;  ///< those not written yet
  std::optional<RosterLayout> layout_;
  std::vector<RosterField> fields_;
  std::string end_ = "\n";  ///< of the last line that has one
  std::string edited_;
};

}  // namespace

bool has_names(std::string_view text) {
  if (text.empty()) return true;
  if (text.substr(0, byte_order_mark.size()) == byte_order_mark) text.remove_prefix(byte_order_mark.size());
  auto header = take_line(text);
  while (is_roster_remark(header) && !text.empty()) header = take_line(text);
  const auto layout = roster_layout(header);
  return layout && layout->columns > 2;
}

base::Result<std::string> edit_roster(std::string_view text, const RosterEdits& edits) {
  auto wanted = text.empty() ? std::map<base::Mac, RosterDevice>{} : read(text);
  if (!wanted) return base::pass(std::move(wanted));
  const bool names = has_names(text);
  auto edited = Editor(edits).edit(text, edits);
  for (const auto& mac : edits.remove) wanted->erase(mac);
  for (const auto& device : edits.set) {
    auto expected = device;
    if (!names) expected.name.clear();
    wanted->insert_or_assign(device.mac, std::move(expected));
  }
  auto result = read(edited);
  if (!result) return base::pass(std::move(result), "the roster would not be valid");
  if (*result != *wanted) return base::fail("the roster would not say what it should; nothing was changed");
  return edited;
}

}  // namespace schultor::config
