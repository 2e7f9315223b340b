// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/line_readers.hpp"

#include <algorithm>
#include <array>

namespace schultor::lists {
namespace {

/// Names that a hosts file gives to the machine itself.
bool is_machine_name(std::string_view name) {
  constexpr std::array<std::string_view, 13> names{"localhost",    "localhost.localdomain", "localhost4",    "localhost6",
                                                   "local",        "broadcasthost",         "ip6-localhost", "ip6-loopback",
                                                   "ip6-localnet", "ip6-mcastprefix",       "ip6-allnodes",  "ip6-allrouters",
                                                   "ip6-allhosts"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Addresses by which a hosts file says: nowhere.
bool is_nowhere(std::string_view address) {
  constexpr std::array<std::string_view, 5> known{"0.0.0.0", "127.0.0.1", "::", "::1", "0"};
  return std::find(known.begin(), known.end(), address) != known.end();
}

/// `fe80::1%lo0` too: hosts files name interfaces.
bool is_address(std::string_view word) {
  if (word == "0") return true;
  if (word.empty() || word.find_first_not_of("0123456789abcdefABCDEF.:") < word.find('%')) return false;
  return base::parse_address(word.substr(0, word.find('%'))).has_value();
}

void take_entry(const Line& line, std::string_view word) {
  if (line.take_address(word)) return;
  if (word.starts_with("*.")) line.take_name(word.substr(2), Scope::below, Labels::at_least_two);
  else if (word.starts_with('.')) line.take_name(word.substr(1), Scope::both, Labels::at_least_two);
  else if (word.find('*') != std::string_view::npos)
    line.unusable(word, "a wildcard within a name: expected a whole name, or *.name for those below it");
  else line.take_name(word, Scope::both, Labels::at_least_two);
}

}  // namespace

bool is_hosts_line(std::string_view text) {
  auto rest = without_comment(text);
  const auto address = take_word(rest);
  return is_address(address) && !trimmed(rest).empty();
}

void read_hosts_line(const Line& line) {
  auto rest = trimmed(without_comment(line.text));
  if (rest.empty()) return;
  if (!is_hosts_line(rest)) {
    read_domains_line(line);
    return;
  }
  const auto address = take_word(rest);
  while (!trimmed(rest).empty()) {
    const auto word = take_word(rest);
    // “0.0.0.0 0.0.0.0” heads some of them.
    if (is_machine_name(word) || is_nowhere(word)) continue;
    if (is_nowhere(address)) {
      take_entry(line, word);
      continue;
    }
    line.unusable(address, "a name is given an address: expected 0.0.0.0 or another address that leads nowhere");
    return;
  }
}

void read_domains_line(const Line& line) {
  const auto text = trimmed(without_comment(line.text));
  if (text.empty()) return;
  auto rest = text;
  const auto word = take_word(rest);
  if (trimmed(rest).empty()) take_entry(line, word);
  else if (is_hosts_line(text)) read_hosts_line(line);
  else line.junk(text, "there is more than one word: expected a name or an address");
}

}  // namespace schultor::lists
