// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile_names.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <unordered_map>
#include <utility>

namespace schultor::policy {
namespace {

/// Below these, whoever pays or registers chooses the next label.
constexpr std::array<std::string_view, 22> shared_hosts{
    "amazonaws.com",
    "appspot.com",
    "azureedge.net",
    "azurefd.net",
    "azurewebsites.net",
    "blob.core.windows.net",
    "web.core.windows.net",
    "blogspot.com",
    "cloudfront.net",
    "fastly.net",
    "firebaseapp.com",
    "github.io",
    "gitlab.io",
    "googleusercontent.com",
    "herokuapp.com",
    "netlify.app",
    "pages.dev",
    "storage.googleapis.com",
    "trafficmanager.net",
    "vercel.app",
    "web.app",
    "workers.dev",
};

bool is_below_or_same(std::string_view name, std::string_view above) {
  return name == above || (name.size() > above.size() && name.substr(name.size() - above.size()) == above &&
                           name[name.size() - above.size() - 1] == '.');
}

/// What stands behind the last label with a wildcard.
std::string_view fixed_tail(std::string_view pattern) {
  const auto star = pattern.rfind('*');
  if (star == std::string_view::npos) return pattern;
  const auto dot = pattern.find('.', star);
  return dot == std::string_view::npos ? std::string_view{} : pattern.substr(dot + 1);
}

/// Of the names under which anyone may host, one that the pattern opens; empty where it opens none.
std::string_view shared_host_within(std::string_view pattern) {
  for (const auto host : shared_hosts)
    if (is_below_or_same(host, fixed_tail(pattern))) return host;
  return {};
}

/// Whether it had to.
bool refuse_top_level(const config::Text& entry, std::string_view pattern, config::Diagnostics& out) {
  if (fixed_tail(pattern).find('.') != std::string_view::npos) return false;
  out.error(entry.source,
            fmt::format("“{}” opens a whole top-level domain always: expected the names of the cloud itself", entry.value));
  return true;
}

}  // namespace

std::vector<Pattern> compile_patterns(const std::vector<config::Text>& list, config::Diagnostics& out) {
  std::vector<Pattern> patterns;
  patterns.reserve(list.size());
  std::unordered_map<std::string, const config::Source*> seen;
  for (const auto& entry : list) {
    auto pattern = parse_pattern(entry.value, {entry.source.file, entry.source.line});
    if (!pattern) {
      out.error(entry.source, pattern.error().what());
      continue;
    }
    const auto [first, fresh] = seen.try_emplace(pattern->text, &entry.source);
    if (fresh) patterns.push_back(std::move(*pattern));
    else
      out.warning(entry.source, fmt::format("“{}” is in this list already, first at {}", entry.value, to_string(*first->second)));
  }
  return patterns;
}

NamePatterns compile_names(const std::vector<config::Text>& list, config::Diagnostics& out) {
  return NamePatterns(compile_patterns(list, out));
}

void check_cloud_names(const std::vector<config::Text>& cloud, config::Diagnostics& out) {
  for (const auto& entry : cloud) {
    const auto pattern = parse_pattern(entry.value, {});
    if (!pattern || refuse_top_level(entry, pattern->text, out)) continue;
    if (const auto host = shared_host_within(pattern->text); !host.empty())
      out.warning(entry.source,
                  fmt::format("“{}” opens {} always, where anyone may host: expected the names that the cloud itself uses there",
                              entry.value, host));
  }
}

void check_listed_cloud_names(const std::vector<config::Text>& names, config::Diagnostics& out) {
  constexpr std::size_t most_shown = 3;
  std::map<std::string_view, const config::Source*> shared;
  for (const auto& name : names)
    if (!refuse_top_level(name, name.value, out) && !shared_host_within(name.value).empty())
      shared.try_emplace(name.value, &name.source);
  if (shared.empty()) return;
  std::string shown;
  std::size_t left = most_shown;
  const config::Source* first = shared.begin()->second;
  for (const auto& [name, source] : shared) {
    if (source->line < first->line) first = source;
    if (left == 0) continue;
    shown += fmt::format("{}“{}” (line {})", shown.empty() ? "" : ", ", name, source->line);
    --left;
  }
  if (shared.size() > most_shown) shown += fmt::format(" and {} more", shared.size() - most_shown);
  out.warning(*first,
              fmt::format("{} of the list's names open{} always where anyone may host: {}; expected a selection without {}, "
                          "and in [cloud] domains the names that the cloud itself uses there",
                          shared.size(), shared.size() == 1 ? "s" : "", shown, shared.size() == 1 ? "it" : "them"));
}

}  // namespace schultor::policy
