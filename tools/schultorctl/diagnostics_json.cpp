// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/diagnostics_json.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

namespace schultor::ctl {
namespace {

using json = nlohmann::ordered_json;

constexpr std::string_view separator = ": error: ";

/// Takes ":14" off the end; nothing where there is no such number.
std::optional<int> take_number(std::string_view& where) {
  const auto colon = where.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const auto digits = where.substr(colon + 1);
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size() || number <= 0) return std::nullopt;
  where.remove_suffix(digits.size() + 1);
  return number;
}

config::Diagnostic read_line(std::string_view line) {
  config::Diagnostic read;
  const auto found = line.find(separator);
  if (found == std::string_view::npos) {
    read.text = line;
    return read;
  }
  read.text = line.substr(found + separator.size());
  auto where = line.substr(0, found);
  const auto last = take_number(where);
  const auto first = last ? take_number(where) : std::nullopt;
  read.line = first.value_or(last.value_or(0));
  read.column = first ? *last : 0;
  read.file = where;
  return read;
}

}  // namespace

json diagnostics_json(const std::vector<config::Diagnostic>& diagnostics) {
  json list = json::array();
  for (const auto& one : diagnostics)
    list.push_back({{"file", one.file},
                    {"line", one.line},
                    {"column", one.column},
                    {"severity", one.severity == config::Severity::error ? "error" : "warning"},
                    {"text", one.text}});
  return list;
}

std::vector<config::Diagnostic> read_refusal(std::string_view text) {
  std::vector<config::Diagnostic> refusal;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    if (!line.empty()) refusal.push_back(read_line(line));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return refusal;
}

}  // namespace schultor::ctl
