// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/line_readers.hpp"

#include <algorithm>
#include <array>

namespace schultor::lists {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

/// What stands before a comment: a “;” outside of quotes.
std::string_view without_zone_comment(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') ++i;
    else if (text[i] == '"') quoted = !quoted;
    else if (text[i] == ';' && !quoted) return text.substr(0, i);
  }
  return text;
}

/// Drops a time to live and a class, in either order, from before a record's type.
std::string_view take_type(std::string_view& rest) {
  constexpr int most_before_type = 2;
  auto word = take_word(rest);
  for (int i = 0; i < most_before_type && !word.empty(); ++i) {
    const bool is_time = word.front() >= '0' && word.front() <= '9';
    if (!is_time && lower(word) != "in") break;
    word = take_word(rest);
  }
  return word;
}

bool ends_in_label(std::string_view name, std::string_view label) {
  return name == label || (name.size() > label.size() && name.ends_with(label) && name[name.size() - label.size() - 1] == '.');
}

bool is_other_trigger(std::string_view name) {
  constexpr std::array<std::string_view, 4> labels{"rpz-ip", "rpz-client-ip", "rpz-nsip", "rpz-nsdname"};
  return std::any_of(labels.begin(), labels.end(), [&](std::string_view label) { return ends_in_label(name, label); });
}

}  // namespace

bool RpzReader::directive(const Line& line, std::string_view text) {
  if (!text.starts_with('$')) return false;
  auto rest = text;
  const auto word = lower(take_word(rest));
  const auto value = trimmed(rest);
  if (word == "$ttl") return true;
  if (word != "$origin" || value.empty() || value.back() != '.') {
    line.unusable(text, "this directive is not known here: expected $TTL, or $ORIGIN with a dot at its end");
    return true;
  }
  origin_ = lower(value);
  // Until the SOA record says better, the first one is the zone.
  if (zone_.empty() && origin_ != ".") zone_ = origin_;
  return true;
}

std::string RpzReader::absolute(std::string_view owner) const {
  if (owner == "@") return origin_;
  if (owner.ends_with('.')) return lower(owner);
  if (origin_.empty()) return lower(owner);
  return origin_ == "." ? lower(owner) + "." : lower(owner) + "." + origin_;
}

std::optional<std::string> RpzReader::within_zone(std::string_view owner) const {
  auto name = absolute(owner);
  if (name == zone_) return std::string();
  const bool is_absolute = name.ends_with('.');
  if (!is_absolute) return name;
  if (zone_.empty() || !name.ends_with("." + zone_)) return std::nullopt;
  name.resize(name.size() - zone_.size() - 1);
  return name;
}

void RpzReader::read(const Line& line) {
  const auto text = without_zone_comment(line.text);
  if (in_parentheses_) {
    in_parentheses_ = text.find(')') == std::string_view::npos;
    return;
  }
  if (trimmed(text).empty() || directive(line, trimmed(text))) return;
  auto rest = text;
  if (text.front() != ' ' && text.front() != '\t') owner_ = take_word(rest);
  record(line, rest);
}

void RpzReader::record(const Line& line, std::string_view rest) {
  const auto whole = trimmed(line.text);
  const auto type = lower(take_type(rest));
  in_parentheses_ = rest.find('(') != std::string_view::npos && rest.find(')') == std::string_view::npos;
  if (owner_.empty() || type.empty()) return line.junk(whole, "this is no record: expected NAME CNAME .");
  if (type == "soa") {
    zone_ = absolute(owner_);
    return;
  }
  const auto name = within_zone(owner_);
  if (!name) return line.junk(whole, "the name lies outside of the zone: expected one that $ORIGIN or the SOA record's name ends");
  // The zone's own records: its name servers, keys and signatures.
  if (name->empty()) return;
  if (is_other_trigger(*name)) return line.unusable(whole, "a trigger that is no question's name");
  if (type != "cname") return line.unusable(whole, "an answer of its own: expected CNAME . or CNAME *.");
  trigger(line, *name, lower(trimmed(rest)));
}

void RpzReader::trigger(const Line& line, std::string_view name, std::string_view target) {
  const auto whole = trimmed(line.text);
  if (target == "rpz-passthru." || target == name || (target.ends_with('.') && target.substr(0, target.size() - 1) == name))
    return line.unusable(whole, "an exception: a table holds no rule that takes another one back");
  if (target != "." && target != "*." && target != "rpz-drop.")
    return line.unusable(whole, "an answer of its own: expected CNAME . or CNAME *.");
  if (name == "*") return line.unusable(whole, "all names at once: expected one name, or *.name");
  const bool below = name.starts_with("*.");
  if (below) name.remove_prefix(2);
  NameBuffer buffer{};
  const auto read = read_name(name, Labels::any, buffer);
  if (read.name.empty()) line.junk(whole, read.fault);
  else line.sink->name(read.name, below ? Scope::below : Scope::self);
}

}  // namespace schultor::lists
