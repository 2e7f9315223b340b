// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/reader.hpp"

#include "daemon/lists/line_readers.hpp"

#include <algorithm>
#include <array>

namespace schultor::lists {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

/// Cuts the first line off `text`.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

bool equal_without_case(std::string_view a, std::string_view upper) {
  return a.size() == upper.size() && std::equal(a.begin(), a.end(), upper.begin(), [](char c, char u) {
           return (c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c) == u;
         });
}

bool is_zone_line(std::string_view line) {
  if (line.starts_with("$TTL") || line.starts_with("$ORIGIN")) return true;
  for (auto rest = line; !rest.empty();) {
    const auto word = take_word(rest);
    if (equal_without_case(word, "CNAME") || equal_without_case(word, "SOA")) return true;
  }
  return false;
}

/// What a line speaks for; none for those that may stand in any list.
std::optional<Format> evidence(std::string_view line) {
  line = trimmed(without_comment(trimmed(line)));
  if (line.empty() || line.starts_with(';')) return std::nullopt;
  if (line.starts_with('!') || line.starts_with("||") || line.starts_with("@@") || line.starts_with("[Adblock") ||
      line.find("##") != std::string_view::npos)
    return Format::adblock;
  if (is_zone_line(line)) return Format::rpz;
  if (is_hosts_line(line)) return Format::hosts;
  const bool one_word = line.find_first_of(" \t") == std::string_view::npos;
  return one_word ? std::optional(Format::domains) : std::nullopt;
}

/// Networks of which a list from elsewhere has nothing to say.
constexpr std::array<std::string_view, 12> not_public{"0.0.0.0/8",      "10.0.0.0/8",    "100.64.0.0/10",  "127.0.0.0/8",
                                                      "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3",
                                                      "::/16",          "fc00::/7",      "fe80::/10",      "ff00::/8"};

std::string_view fault_of(const base::Prefix& prefix) {
  constexpr unsigned widest_ipv4 = 8;
  constexpr unsigned widest_ipv6 = 16;
  static const auto refused = [] {
    std::array<base::Prefix, not_public.size()> all;
    std::transform(not_public.begin(), not_public.end(), all.begin(),
                   [](std::string_view text) { return base::parse_prefix(text).value_or(base::Prefix{}); });
    return all;
  }();
  if (prefix.length < (prefix.address.family == base::Family::ipv4 ? widest_ipv4 : widest_ipv6))
    return "the network is too wide: expected at most an eighth-bit IPv4 or a sixteenth-bit IPv6 network";
  for (const auto& network : refused)
    if (base::contains(network, prefix.address) || base::contains(prefix, network.address))
      return "this is no public address: a list says nothing about the local network";
  return {};
}

}  // namespace

std::string_view to_string(Format format) {
  constexpr std::array<std::string_view, 4> names{"domains", "hosts", "adblock", "rpz"};
  return names[static_cast<std::size_t>(format)];
}

void Line::left_out(LeftOut kind, std::string_view part, std::string_view why) const {
  const auto before = text.substr(0, static_cast<std::size_t>(part.data() - text.data()));
  const auto column =
      std::count_if(before.begin(), before.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
  sink->left_out(kind, {number, 1 + static_cast<int>(column)}, part, why);
}

void Line::take_name(std::string_view part, Scope scope, Labels labels) const {
  NameBuffer buffer{};
  const auto read = read_name(part, labels, buffer);
  if (read.name.empty()) junk(part, read.fault);
  else sink->name(read.name, scope);
}

bool Line::take_address(std::string_view part) const {
  const bool looks_like_one =
      part.find(':') != std::string_view::npos || part.find_first_not_of("0123456789./") == std::string_view::npos;
  if (!looks_like_one) return false;
  const auto prefix = base::parse_prefix(part);
  if (!prefix) junk(part, "this is no address or network: expected one such as 192.0.2.7 or 2001:db8::/32, without host bits");
  else if (const auto fault = fault_of(*prefix); !fault.empty()) junk(part, fault);
  else sink->prefix(*prefix);
  return true;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return text.substr(text.size());
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  const auto word = text.substr(0, text.find_first_of(" \t"));
  text.remove_prefix(word.size());
  return word;
}

std::string_view without_comment(std::string_view text) {
  for (auto hash = text.find('#'); hash != std::string_view::npos; hash = text.find('#', hash + 1))
    if (hash == 0 || text[hash - 1] == ' ' || text[hash - 1] == '\t') return text.substr(0, hash);
  return text;
}

std::optional<Format> format_of_file_name(std::string_view file) {
  const auto dot = file.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  for (const auto format : {Format::domains, Format::hosts, Format::adblock, Format::rpz})
    if (file.substr(dot + 1) == to_string(format)) return format;
  return std::nullopt;
}

Format detect_format(std::string_view text) {
  constexpr std::size_t enough_text = 256U << 10U;
  constexpr std::size_t enough_lines = 256;
  text = text.substr(0, enough_text);
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  std::array<std::size_t, 4> votes{};
  for (std::size_t lines = 0; lines < enough_lines && !text.empty();) {
    const auto speaks_for = evidence(take_line(text).substr(0, longest_line));
    if (!speaks_for) continue;
    ++votes[static_cast<std::size_t>(*speaks_for)];
    ++lines;
  }
  return static_cast<Format>(std::max_element(votes.begin(), votes.end()) - votes.begin());
}

void read_list(std::string_view text, Format format, Sink& sink) {
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  RpzReader zone;
  Line line{{}, 0, &sink};
  while (!text.empty()) {
    line.text = take_line(text);
    sink.begin_line(++line.number);
    if (line.text.size() > longest_line) {
      line.junk(line.text.substr(0, 40), "the line is longer than 8192 characters");
      continue;
    }
    switch (format) {
      case Format::domains:
        read_domains_line(line);
        break;
      case Format::hosts:
        read_hosts_line(line);
        break;
      case Format::adblock:
        read_adblock_line(line);
        break;
      case Format::rpz:
        zone.read(line);
        break;
    }
  }
}

}  // namespace schultor::lists
