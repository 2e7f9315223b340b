// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/line_readers.hpp"

#include <algorithm>
#include <array>

namespace schultor::lists {
namespace {

constexpr std::string_view whole_names_only = "this is no rule for whole names: expected ||name^";

bool may_be_in_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
         c == '*' || static_cast<unsigned char>(c) >= 0x80;
}

/// Rules that hide parts of pages: `##.banner`, `example.com#@#.ad`.
bool is_cosmetic(std::string_view text) {
  constexpr std::array<std::string_view, 5> marks{"##", "#@#", "#?#", "#$#", "#%#"};
  return std::any_of(marks.begin(), marks.end(), [&](std::string_view mark) { return text.find(mark) != std::string_view::npos; });
}

/// `##.banner`, where `## Banners` is a comment.
bool hides_on_all_pages(std::string_view text) {
  return text.size() > 2 && text[1] != ' ' && text[2] != ' ' && text[2] != '#' && is_cosmetic(text);
}

/// Options that leave a rule what it is for a whole name. All others narrow it to kinds of requests, which a name server does not
/// see: a rule against an embedded button would close the site itself.
bool is_usable(std::string_view option) {
  constexpr std::array<std::string_view, 4> usable{"important", "all", "document", "doc"};
  return std::find(usable.begin(), usable.end(), option) != usable.end();
}

/// The first of the comma-separated options that cannot be kept; empty where all can.
std::string_view unusable_option(std::string_view options) {
  while (true) {
    const auto comma = options.find(',');
    const auto option = trimmed(options.substr(0, comma));
    if (!is_usable(option)) return option.empty() ? options : option;
    if (comma == std::string_view::npos) return {};
    options.remove_prefix(comma + 1);
  }
}

void read_anchored(const Line& line, std::string_view text) {
  const auto rest = text.substr(2);
  const auto end = static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), may_be_in_name) - rest.begin());
  auto name = rest.substr(0, end);
  auto tail = rest.substr(end);
  if (!tail.starts_with('^')) return line.unusable(text, whole_names_only);
  tail.remove_prefix(1);
  if (tail.starts_with('|')) tail.remove_prefix(1);
  if (tail.starts_with('$')) {
    if (tail.size() == 1) return line.junk(text, "options are missing behind “$”");
    if (const auto option = unusable_option(tail.substr(1)); !option.empty())
      return line.unusable(option, "this option cannot be kept by a name server: expected none, important, all or document");
  } else if (!tail.empty()) {
    return line.unusable(text, whole_names_only);
  }
  if (line.take_address(name)) return;
  const bool below = name.starts_with("*.");
  if (below) name.remove_prefix(2);
  if (name.find('*') != std::string_view::npos)
    return line.unusable(text, "a wildcard within a name: expected a whole name, or *.name for those below it");
  line.take_name(name, below ? Scope::below : Scope::both, Labels::any);
}

}  // namespace

void read_adblock_line(const Line& line) {
  const auto text = trimmed(line.text);
  if (text.empty() || text.starts_with('!') || text.starts_with('[')) return;
  if (text.starts_with("||")) return read_anchored(line, text);
  if (text.starts_with("@@")) return line.unusable(text, "an exception: a table holds no rule that takes another one back");
  if (without_comment(text).empty() && !hides_on_all_pages(text)) return;
  if (is_cosmetic(text)) return line.unusable(text, whole_names_only);
  if (is_hosts_line(text)) return read_hosts_line(line);
  // AdGuard's syntax for name servers: a bare name stands for itself alone.
  const bool bare = std::all_of(text.begin(), text.end(), may_be_in_name) && text.find('*') == std::string_view::npos &&
                    text.find('.') != std::string_view::npos;
  if (!bare) return line.unusable(text, whole_names_only);
  if (!line.take_address(text)) line.take_name(text, Scope::self, Labels::at_least_two);
}

}  // namespace schultor::lists
