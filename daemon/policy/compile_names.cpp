// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile_names.hpp"

#include <fmt/format.h>

#include <array>
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
    if (!pattern) continue;
    if (fixed_tail(pattern->text).find('.') == std::string_view::npos) {
      out.error(entry.source,
                fmt::format("“{}” opens a whole top-level domain always: expected the names of the cloud itself", entry.value));
      continue;
    }
    for (const auto host : shared_hosts) {
      if (!is_below_or_same(host, fixed_tail(pattern->text))) continue;
      out.warning(entry.source,
                  fmt::format("“{}” opens {} always, where anyone may host: expected the names that the cloud itself uses there",
                              entry.value, host));
      break;
    }
  }
}

}  // namespace schultor::policy
