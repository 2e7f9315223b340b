// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/header_fields.hpp"

#include <algorithm>
#include <array>

namespace schultor::cache {
namespace {

constexpr std::array<std::string_view, 9> of_one_connection = {"Connection",          "Keep-Alive", "Proxy-Connection",
                                                               "Proxy-Authenticate",  "TE",         "Trailer",
                                                               "Proxy-Authorization", "Upgrade",    "Transfer-Encoding"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_token_character(char c) {
  const bool alphanumeric = (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
  return alphanumeric || (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

/// Whether the last quoted string does not end (RFC 9110, 5.6.4).
bool has_open_quote(std::string_view list) {
  bool quoted = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == '"') quoted = !quoted;
    if (quoted && list[i] == '\\') ++i;
  }
  return quoted;
}

bool named(const HeaderField& field, std::string_view name) { return equal_without_case(field.name, name); }

}  // namespace

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_token(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character); }

bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) || c == '\t'; });
}

bool HeaderFields::add(std::string_view name, std::string_view value) {
  value = trimmed(value);
  const auto octets = name.size() + value.size();
  if (!is_token(name) || !is_field_value(value) || fields_.size() >= most_fields || octets > most_octets - octets_) return false;
  fields_.push_back({std::string(name), std::string(value)});
  octets_ += octets;
  return true;
}

std::optional<std::string> HeaderFields::joined(std::string_view name) const {
  std::optional<std::string> all;
  for (const auto& field : fields_) {
    if (!named(field, name)) continue;
    if (all) all->append(", ");
    all = all.value_or("") + field.value;
  }
  return all;
}

std::optional<std::string_view> HeaderFields::first(std::string_view name) const {
  const auto at = std::find_if(fields_.begin(), fields_.end(), [&](const auto& field) { return named(field, name); });
  if (at == fields_.end()) return std::nullopt;
  return at->value;
}

std::optional<std::string_view> HeaderFields::single(std::string_view name) const {
  if (std::count_if(fields_.begin(), fields_.end(), [&](const auto& field) { return named(field, name); }) != 1)
    return std::nullopt;
  return first(name);
}

void HeaderFields::remove(std::string_view name) {
  std::erase_if(fields_, [&](const auto& field) {
    if (!named(field, name)) return false;
    octets_ -= field.name.size() + field.value.size();
    return true;
  });
}

void HeaderFields::clear() {
  fields_.clear();
  octets_ = 0;
}

bool add_line(HeaderFields& fields, std::string_view line) {
  const auto colon = line.find(':');
  return colon != std::string_view::npos && fields.add(line.substr(0, colon), line.substr(colon + 1));
}

std::vector<std::string_view> list_members(std::string_view list) {
  std::vector<std::string_view> members;
  // What opens a quoted string that nothing closes is a character like any other: it hides nothing that stands behind it.
  const auto quotes = has_open_quote(list) ? 0 : '"';
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= list.size(); ++i) {
    if (i < list.size() && list[i] == quotes && quotes != 0) quoted = !quoted;
    if (i < list.size() && quoted && list[i] == '\\') {
      ++i;
      continue;
    }
    if (i < list.size() && (quoted || list[i] != ',')) continue;
    if (const auto member = trimmed(list.substr(begin, i - begin)); !member.empty()) members.push_back(member);
    begin = i + 1;
  }
  return members;
}

HeaderFields end_to_end(const HeaderFields& fields) {
  const auto connection = fields.joined("Connection").value_or("");
  const auto listed = list_members(connection);
  HeaderFields kept;
  for (const auto& [name, value] : fields.all()) {
    const auto is_name = [&name = name](std::string_view other) { return equal_without_case(name, other); };
    if (std::any_of(listed.begin(), listed.end(), is_name)) continue;
    if (std::any_of(of_one_connection.begin(), of_one_connection.end(), is_name)) continue;
    static_cast<void>(kept.add(name, value));
  }
  return kept;
}

}  // namespace schultor::cache
