// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/file_readers.hpp"

#include "daemon/base/text.hpp"
#include "daemon/config/roster_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace schultor::config {
namespace {

constexpr std::size_t longest_line = 1000;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (auto& c : lowered)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return lowered;
}

/// What to say of a first line that is no header: many have a management system's export at hand.
std::string_view header_advice(std::string_view line) {
  const auto columns = std::count(line.begin(), line.end(), ',') + std::count(line.begin(), line.end(), ';') +
                       std::count(line.begin(), line.end(), '\t');
  return columns > 2 || lower(line).find("mac") != std::string::npos
             ? "; “schultorctl roster import” reads the export of a management system (MDM)"
             : "";
}

class RosterReader {
public:
  /// `lines`: as many are expected.
  RosterReader(const std::string& file, Diagnostics& out, std::size_t lines) : file_(file), out_(out) {
    entries_.reserve(std::min(lines, most_roster_devices));
  }

  /// False where reading on says nothing more.
  bool line(std::string_view text) {
    ++line_;
    text_ = text;
    if (is_roster_remark(text)) return true;
    if (entries_.size() >= most_roster_devices) return error(1, fmt::format("more than {} devices", most_roster_devices));
    if (text.size() > longest_line)
      return error(1, fmt::format("a line of more than {} characters, expected mac,group[,name]", longest_line));
    if (!base::is_utf8(text)) {
      error(1, "the line is not in UTF-8: save the file in that encoding");
      return layout_.has_value();
    }
    if (!layout_) return header(text);
    if (!split_roster_line(text, layout_->separator, fields_)) {
      error(1, "a quote that is left open, or text beside one");
    } else if (fields_.size() < 2 || fields_.size() > layout_->columns) {
      error(1, fmt::format("{} field{}, expected {}", fields_.size(), fields_.size() == 1 ? "" : "s",
                           layout_->columns == 3 ? "mac, group and, if you like, name" : "mac and group"));
    } else {
      device();
    }
    return true;
  }

  std::vector<RosterEntry> finish() {
    if (!layout_ && !misread_) out_.error({file_, 1, 1}, "the header line is missing, expected “mac,group” or “mac,group,name”");
    refuse_twins();
    return std::move(entries_);
  }

private:
  /// `octet`: of the line, from 1. People count characters.
  bool error(int octet, std::string text) {
    const auto before = text_.substr(0, static_cast<std::size_t>(octet) - 1);
    const auto column =
        std::count_if(before.begin(), before.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
    out_.error({file_, line_, static_cast<int>(column) + 1}, std::move(text));
    misread_ = misread_ || !layout_;
    return false;
  }

  bool header(std::string_view text) {
    layout_ = roster_layout(text);
    return layout_ ||
           error(1, fmt::format("the header line is missing, expected “mac,group” or “mac,group,name”{}", header_advice(text)));
  }

  void device() {
    const auto& [mac_text, mac_column] = fields_[0];
    const auto& [group, group_column] = fields_[1];
    const auto mac = base::parse_mac(mac_text);
    if (!mac) {
      error(mac_column, mac.error().what());
    } else if ((mac->octets[0] & 0x01U) != 0 || *mac == base::Mac{}) {
      error(mac_column, fmt::format("“{}” is no device's address: it is a group's or empty", mac_text));
    } else if (!is_label(group)) {
      error(group_column, fmt::format("“{}” names no group", group));
    } else if (fields_.size() > 2 && fields_[2].text.size() > longest_device_name) {
      error(fields_[2].column, fmt::format("the name is longer than {} octets", longest_device_name));
    } else {
      entries_.push_back({*mac, {group, {file_, line_, group_column}}, fields_.size() > 2 ? fields_[2].text : std::string{}});
      mac_columns_.push_back(mac_column);
    }
  }

  /// Of the lines that name one device the first stays. Once at the end: a sort is cheaper than a look-up a line.
  void refuse_twins() {
    std::vector<std::size_t> order(entries_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return std::pair(entries_[a].mac, a) < std::pair(entries_[b].mac, b); });
    std::vector<bool> twin(entries_.size());
    std::size_t first = 0;
    for (std::size_t i = 1; i < order.size(); ++i) {
      const auto& [known, other] = std::pair<const RosterEntry&, const RosterEntry&>(entries_[order[first]], entries_[order[i]]);
      if (known.mac != other.mac) {
        first = i;
        continue;
      }
      twin[order[i]] = true;
      out_.error({file_, other.group.source.line, mac_columns_[order[i]]},
                 fmt::format("{} is in the roster twice, first at {}", base::to_string(other.mac), to_string(known.group.source)));
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (!twin[i] && kept++ != i) entries_[kept - 1] = std::move(entries_[i]);
    entries_.resize(kept);
  }

  const std::string& file_;
  Diagnostics& out_;
  int line_ = 0;
  std::string_view text_;  ///< of that line
  bool misread_ = false;   ///< the first line was no header, and that is said
  std::optional<RosterLayout> layout_;
  std::vector<RosterField> fields_;
  std::vector<RosterEntry> entries_;
  std::vector<int> mac_columns_;  ///< of the entries
};

}  // namespace

bool split_roster_line(std::string_view line, char separator, std::vector<RosterField>& fields) {
  std::size_t count = 0, at = 0;
  while (true) {
    while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
    // The strings of the line before are written over: they keep their memory.
    if (count == fields.size()) fields.emplace_back();
    auto& field = fields[count++];
    field.column = static_cast<int>(at) + 1;
    field.text.clear();
    const bool quoted = at < line.size() && line[at] == '"';
    if (quoted) {
      for (++at;; ++at) {
        if (at >= line.size()) return false;
        if (line[at] == '"' && (at + 1 >= line.size() || line[at + 1] != '"')) break;
        if (line[at] == '"') ++at;
        field.text += line[at];
      }
      ++at;
    }
    const auto end = std::min(line.find(separator, at), line.size());
    const auto rest = trim(line.substr(at, end - at));
    if (!quoted) field.text = rest;
    else if (!rest.empty()) return false;
    if (end >= line.size()) break;
    at = end + 1;
  }
  fields.resize(count);
  return true;
}

std::optional<RosterLayout> roster_layout(std::string_view header) {
  RosterLayout layout{header.find(';') != std::string_view::npos ? ';' : ',', 3};
  std::vector<RosterField> fields;
  if (!split_roster_line(header, layout.separator, fields)) return std::nullopt;
  layout.columns = fields.size();
  const bool fine = (fields.size() == 2 || (fields.size() == 3 && lower(fields[2].text) == "name")) &&
                    lower(fields[0].text) == "mac" && lower(fields[1].text) == "group";
  return fine ? std::optional(layout) : std::nullopt;
}

bool is_roster_remark(std::string_view line) {
  const auto content = trim(line);
  return content.empty() || content.front() == '#';
}

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

std::vector<RosterEntry> read_roster(std::string_view text, const std::string& file, Diagnostics& out) {
  if (text.substr(0, byte_order_mark.size()) == byte_order_mark) text.remove_prefix(byte_order_mark.size());
  RosterReader reader(file, out, static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')));
  while (!text.empty())
    if (!reader.line(take_line(text))) break;
  return reader.finish();
}

}  // namespace schultor::config
