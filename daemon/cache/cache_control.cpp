// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/cache_control.hpp"

#include "daemon/cache/header_fields.hpp"

#include <algorithm>

namespace schultor::cache {
namespace {

using std::chrono::seconds;

struct Flag {
  std::string_view name;
  bool CacheControl::*member;
};
constexpr Flag flags[] = {{"no-store", &CacheControl::no_store},
                          {"no-cache", &CacheControl::no_cache},
                          {"private", &CacheControl::is_private},
                          {"public", &CacheControl::is_public},
                          {"must-revalidate", &CacheControl::must_revalidate},
                          {"proxy-revalidate", &CacheControl::proxy_revalidate}};

struct Time {
  std::string_view name;
  std::optional<seconds> CacheControl::*member;
};
constexpr Time times[] = {{"max-age", &CacheControl::max_age},
                          {"s-maxage", &CacheControl::s_maxage},
                          {"stale-if-error", &CacheControl::stale_if_error},
                          {"stale-while-revalidate", &CacheControl::stale_while_revalidate}};

/// Without the quotes around it, which senders are not to generate and recipients accept (RFC 9111, 5.2).
std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
  return text;
}

void read_directive(CacheControl& into, std::string_view name, std::string_view value) {
  for (const auto& flag : flags)
    if (equal_without_case(name, flag.name)) into.*flag.member = true;
  for (const auto& time : times) {
    if (!equal_without_case(name, time.name)) continue;
    const auto length = read_delta_seconds(unquoted(value)).value_or(seconds{0});
    auto& known = into.*time.member;
    known = std::min(known.value_or(length), length);
  }
}

}  // namespace

std::optional<seconds> read_delta_seconds(std::string_view text) {
  if (text.empty()) return std::nullopt;
  seconds value{0};
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = std::min(value * 10 + seconds{c - '0'}, longest_delta);
  }
  return value;
}

CacheControl read_cache_control(std::string_view value) {
  CacheControl control;
  for (const auto member : list_members(value)) {
    const auto equals = member.find('=');
    const auto argument = equals == std::string_view::npos ? std::string_view{} : member.substr(equals + 1);
    // "max-age = 5" is no directive, yet nobody wrote it to have nothing kept fresh by it: its time cannot be read.
    read_directive(control, trimmed(member.substr(0, equals)), argument);
  }
  return control;
}

}  // namespace schultor::cache
