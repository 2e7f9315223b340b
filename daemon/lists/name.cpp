// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/name.hpp"

#include "daemon/lists/idn.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace schultor::lists {
namespace {

constexpr std::size_t longest_label = 63;

bool is_beyond_ascii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool belongs(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

/// What is wrong with a name in lower case without a dot at its end; empty where nothing is.
std::string_view fault_of(std::string_view name, Labels labels) {
  std::size_t label = 0;
  bool digits_only = true;
  bool dotted = false;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0) return "a label is empty: expected a name such as spiele.example";
      dotted = true;
      digits_only = true;
      label = 0;
      continue;
    }
    if (!belongs(c)) return "this is no domain name: expected letters, digits, “-” and “_” between dots";
    if (++label > longest_label) return "a label has more than 63 characters";
    digits_only = digits_only && c >= '0' && c <= '9';
  }
  if (label == 0) return "a label is empty: expected a name such as spiele.example";
  if (digits_only) return "the last label is a number: expected a name, or a whole IP address";
  if (!dotted && labels == Labels::at_least_two) return "this is a whole top-level domain: expected a name with a dot";
  return {};
}

}  // namespace

ReadName read_name(std::string_view text, Labels labels, NameBuffer& buffer) {
  std::optional<std::string> converted;
  if (std::any_of(text.begin(), text.end(), is_beyond_ascii)) {
    converted = to_a_labels(text);
    if (!converted) return {{}, "the letters beyond ASCII make no domain name: expected UTF-8, as in bücher.example"};
    text = *converted;
  }
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  if (text.empty()) return {{}, "there is no name: expected one such as spiele.example"};
  if (text.size() > buffer.size()) return {{}, "the name has more than 253 characters"};
  std::transform(text.begin(), text.end(), buffer.begin(), lower);
  const std::string_view name(buffer.data(), text.size());
  if (const auto fault = fault_of(name, labels); !fault.empty()) return {{}, fault};
  return {name, {}};
}

}  // namespace schultor::lists
