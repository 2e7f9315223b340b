// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/file_readers.hpp"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <utility>

namespace schultor::config {
namespace {

constexpr std::size_t most_devices = 100'000;
constexpr std::size_t longest_line = 1000;
constexpr std::size_t longest_device_name = 128;

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

struct Field {
  std::string text;
  int column = 1;  ///< in octets, from 1
};

/// Splits a line at the separator; a field may stand in double quotes (RFC 4180). None where a quote is left open.
std::optional<std::vector<Field>> split(std::string_view line, char separator) {
  std::vector<Field> fields;
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
    Field field{{}, static_cast<int>(at) + 1};
    if (at < line.size() && line[at] == '"') {
      for (++at;; ++at) {
        if (at >= line.size()) return std::nullopt;
        if (line[at] == '"' && (at + 1 >= line.size() || line[at + 1] != '"')) break;
        if (line[at] == '"') ++at;
        field.text += line[at];
      }
      ++at;
      const auto end = std::min(line.find(separator, at), line.size());
      if (!trim(line.substr(at, end - at)).empty()) return std::nullopt;
      at = end;
    } else {
      const auto end = std::min(line.find(separator, at), line.size());
      field.text = trim(line.substr(at, end - at));
      at = end;
    }
    fields.push_back(std::move(field));
    if (at >= line.size()) return fields;
    ++at;
  }
}

class RosterReader {
public:
  RosterReader(const std::string& file, Diagnostics& out) : file_(file), out_(out) {}

  void line(std::string_view text) {
    ++line_;
    const auto content = trim(text);
    if (content.empty() || content.front() == '#' || entries_.size() >= most_devices) return;
    if (text.size() > longest_line)
      return error(1, fmt::format("a line of more than {} characters, expected mac,group[,name]", longest_line));
    if (!is_utf8(text)) return error(1, "the line is not in UTF-8: save the file in that encoding");
    if (!separator_) return header(text);
    const auto fields = split(text, *separator_);
    if (!fields) return error(1, "a quote that is left open, or text beside one");
    if (fields->size() < 2 || fields->size() > columns_)
      return error(1, fmt::format("{} field{}, expected {}", fields->size(), fields->size() == 1 ? "" : "s",
                                  columns_ == 3 ? "mac, group and, if you like, name" : "mac and group"));
    device(*fields);
  }

  std::vector<RosterEntry> finish() {
    if (!separator_) out_.error({file_, 1, 1}, "the header line is missing, expected “mac,group” or “mac,group,name”");
    if (entries_.size() >= most_devices) error(1, fmt::format("more than {} devices", most_devices - 1));
    return std::move(entries_);
  }

private:
  void error(int column, std::string text) { out_.error({file_, line_, column}, std::move(text)); }

  void header(std::string_view text) {
    separator_ = text.find(';') != std::string_view::npos ? ';' : ',';
    const auto fields = split(text, *separator_).value_or(std::vector<Field>{});
    columns_ = fields.size() == 2 ? 2 : 3;
    const bool fine = (fields.size() == 2 || (fields.size() == 3 && lower(fields[2].text) == "name")) &&
                      lower(fields[0].text) == "mac" && lower(fields[1].text) == "group";
    if (!fine) error(1, "the header line is missing, expected “mac,group” or “mac,group,name”");
  }

  void device(const std::vector<Field>& fields) {
    const auto mac = base::parse_mac(fields[0].text);
    if (!mac) return error(fields[0].column, mac.error().what());
    if ((mac->octets[0] & 0x01U) != 0 || *mac == base::Mac{})
      return error(fields[0].column, fmt::format("“{}” is no device's address: it is a group's or empty", fields[0].text));
    if (!is_label(fields[1].text)) return error(fields[1].column, fmt::format("“{}” names no group", fields[1].text));
    std::string name = fields.size() > 2 ? fields[2].text : std::string{};
    if (name.size() > longest_device_name)
      return error(fields[2].column, fmt::format("the name is longer than {} characters", longest_device_name));
    const auto [known, fresh] = lines_.try_emplace(*mac, line_);
    if (!fresh)
      return error(fields[0].column,
                   fmt::format("{} is in the roster twice, first at {}:{}", base::to_string(*mac), file_, known->second));
    entries_.push_back({*mac, {fields[1].text, {file_, line_, fields[1].column}}, std::move(name)});
  }

  const std::string& file_;
  Diagnostics& out_;
  int line_ = 0;
  std::optional<char> separator_;
  std::size_t columns_ = 3;
  std::vector<RosterEntry> entries_;
  std::map<base::Mac, int> lines_;
};

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xc2 && lead < 0xe0 ? 2
                               : lead >= 0xe0 && lead < 0xf0 ? 3
                               : lead >= 0xf0 && lead < 0xf5 ? 4
                                                             : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0U) != 0x80U) return false;
    // Overlong forms, surrogates and what is beyond U+10FFFF: no JSON can carry them.
    const auto next = length > 2 ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if ((lead == 0xe0 && next < 0xa0) || (lead == 0xed && next >= 0xa0) || (lead == 0xf0 && next < 0x90) ||
        (lead == 0xf4 && next >= 0x90))
      return false;
    i += length;
  }
  return true;
}

std::vector<RosterEntry> read_roster(std::string_view text, const std::string& file, Diagnostics& out) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.substr(0, byte_order_mark.size()) == byte_order_mark) text.remove_prefix(byte_order_mark.size());
  RosterReader reader(file, out);
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    reader.line(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return reader.finish();
}

}  // namespace schultor::config
