// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/encoding.hpp"

#include "daemon/base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace schultor::config {
namespace {

constexpr unsigned replacement = 0xfffd;

void append(std::string& text, unsigned code) {
  const auto tail = [&](unsigned shift) { text += static_cast<char>(0x80U | ((code >> shift) & 0x3fU)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xc0U | (code >> 6U));
    tail(0);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xe0U | (code >> 12U));
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xf0U | (code >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

/// `high`: the offset of a unit's high octet, 1 for little endian.
std::string utf8_from_utf16(std::string_view text, std::size_t high) {
  const auto unit = [&](std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(text[at + high])) << 8U |
           static_cast<unsigned>(static_cast<unsigned char>(text[at + 1 - high]));
  };
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
    const auto first = unit(at);
    const bool leads = first >= 0xd800 && first < 0xdc00;
    const auto second = leads && at + 3 < text.size() ? unit(at + 2) : 0U;
    if (second >= 0xdc00 && second < 0xe000) {
      append(result, 0x10000 + ((first - 0xd800) << 10U) + (second - 0xdc00));
      at += 2;
    } else {
      append(result, first >= 0xd800 && first < 0xe000 ? replacement : first);
    }
  }
  if (text.size() % 2 != 0) append(result, replacement);
  return result;
}

}  // namespace

std::string utf8_from_windows_1252(std::string_view text) {
  constexpr std::array<std::uint16_t, 32> upper_controls{
      0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f,
      0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178};
  std::string result;
  for (const char c : text) {
    const unsigned code = static_cast<unsigned char>(c);
    append(result, code >= 0x80 && code < 0xa0 ? upper_controls[code - 0x80] : code);
  }
  return result;
}

std::string utf8_from_any(std::string_view text) {
  const auto begins = [&](std::string_view mark) { return text.substr(0, mark.size()) == mark; };
  constexpr std::string_view utf8{"\xef\xbb\xbf"}, little{"\xff\xfe"}, big{"\xfe\xff"};
  if (begins(little)) return utf8_from_utf16(text.substr(little.size()), 1);
  if (begins(big)) return utf8_from_utf16(text.substr(big.size()), 0);
  if (begins(utf8)) text.remove_prefix(utf8.size());
  // A table begins with a letter or a quote: of UTF-16 without a mark, one of its first two octets is zero.
  if (text.size() >= 2 && text[0] != '\0' && text[1] == '\0') return utf8_from_utf16(text, 1);
  if (text.size() >= 2 && text[0] == '\0' && text[1] != '\0') return utf8_from_utf16(text, 0);
  return base::is_utf8(text) ? std::string(text) : utf8_from_windows_1252(text);
}

}  // namespace schultor::config
