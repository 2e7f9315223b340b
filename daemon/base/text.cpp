// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace schultor::base {

std::size_t unseen_at(std::string_view text) {
  struct Range {
    std::string_view lead;
    unsigned char first;
    unsigned char last;
  };
  constexpr std::array<Range, 9> ranges{{
      {"\xc2", 0x80, 0x9f},          // C1
      {"\xc2", 0xad, 0xad},          // the soft hyphen
      {"\xd8", 0x9c, 0x9c},          // the Arabic letter mark
      {"\xe1\xa0", 0x8e, 0x8e},      // the Mongolian vowel separator
      {"\xe2\x80", 0x8b, 0x8f},      // of no width, and marks of direction
      {"\xe2\x80", 0xa8, 0xae},      // ends of lines, embedding and override of direction
      {"\xe2\x81", 0xa0, 0xaf},      // the word joiner, invisible operators, isolation
      {"\xef\xbb", 0xbf, 0xbf},      // the byte order mark
      {"\xf3\xa0\x80", 0x80, 0xbf},  // tags
  }};
  for (const auto& range : ranges) {
    if (!text.starts_with(range.lead) || text.size() == range.lead.size()) continue;
    const auto octet = static_cast<unsigned char>(text[range.lead.size()]);
    if (octet >= range.first && octet <= range.last) return range.lead.size() + 1;
  }
  return 0;
}

std::size_t character_at(std::string_view text) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.empty()) return 0;
  const auto lead = octet(0);
  if (lead < 0x80) return 1;
  // Lead octets that only an overlong form or no character at all begins with.
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const std::size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((octet(i) & 0xc0U) != 0x80U) return 0;
  const auto second = octet(1);
  // Overlong forms, surrogates and what is beyond U+10FFFF: no JSON can carry them.
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool surrogate = lead == 0xed && second > 0x9f;
  const bool beyond = lead == 0xf4 && second > 0x8f;
  return overlong || surrogate || beyond ? 0 : size;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto size = character_at(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

bool is_plain_path(std::string_view text, std::size_t longest) {
  if (text.size() < 2 || text.size() > longest || text.front() != '/') return false;
  if ((std::string(text) + '/').find("/../") != std::string::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/-._").find(c) != std::string_view::npos;
  });
}

std::string printable(std::string_view text, std::size_t longest) {
  std::string safe;
  const auto escape = [&](std::string_view octets) {
    for (const char c : octets) safe += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  };
  std::size_t at = 0;
  while (at < text.size()) {
    const auto rest = text.substr(at);
    const auto size = std::max<std::size_t>(character_at(rest), 1);
    if (at + size > longest) {
      safe += "…";
      break;
    }
    const auto lead = static_cast<unsigned char>(rest.front());
    const bool is_control = lead < 0x20 || lead == 0x7f;
    if (is_control || character_at(rest) == 0 || unseen_at(rest) > 0) escape(rest.substr(0, size));
    else safe += rest.substr(0, size);
    at += size;
  }
  return safe;
}

}  // namespace schultor::base
