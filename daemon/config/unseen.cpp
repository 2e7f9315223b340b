// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/unseen.hpp"

#include <array>

namespace schultor::config {

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

}  // namespace schultor::config
