// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/rewrites.hpp"

#include <algorithm>
#include <array>

namespace schultor::policy {
namespace {

struct Rewrite {
  std::string_view from;
  std::string_view to;
};
constexpr std::array engines{
    Rewrite{"bing.com", "strict.bing.com"},
    Rewrite{"www.bing.com", "strict.bing.com"},
    Rewrite{"duckduckgo.com", "safe.duckduckgo.com"},
    Rewrite{"start.duckduckgo.com", "safe.duckduckgo.com"},
    Rewrite{"www.duckduckgo.com", "safe.duckduckgo.com"},
    Rewrite{"ecosia.org", "strict-safe-search.ecosia.org"},
    Rewrite{"www.ecosia.org", "strict-safe-search.ecosia.org"},
    Rewrite{"pixabay.com", "safesearch.pixabay.com"},
    Rewrite{"www.pixabay.com", "safesearch.pixabay.com"},
};
constexpr std::array<std::string_view, 6> youtube_names{"m.youtube.com", "www.youtube-nocookie.com", "www.youtube.com",
                                                        "youtube.com",   "youtube.googleapis.com",   "youtubei.googleapis.com"};

bool is_country(std::string_view label) {
  return label.size() == 2 && std::all_of(label.begin(), label.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

/// google.TLD, or www, ipv4 or ipv6 before it, where TLD is com, cat, a country's, or com or co before a country's. A list of the
/// countries in which there is such a name would be out of date one day; where there is none, nobody loses anything.
bool is_google(std::string_view name) {
  for (const std::string_view host : {"www.", "ipv4.", "ipv6."})
    if (name.starts_with(host)) {
      name.remove_prefix(host.size());
      break;
    }
  if (!name.starts_with("google.")) return false;
  name.remove_prefix(7);
  if (name == "com" || name == "cat" || is_country(name)) return true;
  for (const std::string_view second : {"com.", "co."})
    if (name.starts_with(second)) return is_country(name.substr(second.size()));
  return false;
}

}  // namespace

std::string_view rewritten(const SafeSearch& wanted, std::string_view name) {
  if (wanted.search) {
    if (is_google(name)) return "forcesafesearch.google.com";
    for (const auto& engine : engines)
      if (engine.from == name) return engine.to;
  }
  if (wanted.youtube != YouTube::off && std::find(youtube_names.begin(), youtube_names.end(), name) != youtube_names.end())
    return wanted.youtube == YouTube::strict ? "restrict.youtube.com" : "restrictmoderate.youtube.com";
  return {};
}

}  // namespace schultor::policy
