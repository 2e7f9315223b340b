// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

namespace schultor::policy {
namespace {

/// Below these, whoever pays or registers chooses the next label. `*` stands for any characters within one label.
constexpr std::array<std::string_view, 76> shared_hosts{
    "amazonaws.com",
    "s3.amazonaws.com",
    "s3.*.amazonaws.com",
    "s3-*.amazonaws.com",
    "s3-*.*.amazonaws.com",
    "appspot.com",
    "azureedge.net",
    "azurefd.net",
    "azurestaticapps.net",
    "azurewebsites.net",
    "blob.core.windows.net",
    "web.core.windows.net",
    "blogspot.com",
    "cloudapp.azure.com",
    "cloudapp.net",
    "cloudfront.net",
    "deno.dev",
    "digitaloceanspaces.com",
    "fastly.net",
    "firebaseapp.com",
    "fly.dev",
    "github.io",
    "githubusercontent.com",
    "gitlab.io",
    "glitch.me",
    "googleusercontent.com",
    "herokuapp.com",
    "hf.space",
    "jimdofree.com",
    "jimdosite.com",
    "netlify.app",
    "ngrok.io",
    "ngrok-free.app",
    "onrender.com",
    "ondigitalocean.app",
    "pages.dev",
    "r2.dev",
    "replit.app",
    "run.app",
    "storage.googleapis.com",
    "surge.sh",
    "trafficmanager.net",
    "translate.goog",
    "trycloudflare.com",
    "tumblr.com",
    "vercel.app",
    "web.app",
    "weebly.com",
    "wixsite.com",
    "wordpress.com",
    "workers.dev",
    // Where names are registered as they are below a top-level domain.
    "co.uk",
    "org.uk",
    "me.uk",
    "co.at",
    "or.at",
    "com.au",
    "net.au",
    "org.au",
    "com.br",
    "net.br",
    "co.in",
    "co.jp",
    "or.jp",
    "co.kr",
    "com.mx",
    "co.nz",
    "com.pl",
    "com.tr",
    "co.za",
    "eu.org",
    "com.de",
    "de.com",
    "eu.com",
    "uk.com",
    "us.com",
};

std::string_view take_last_label(std::string_view& name) {
  const auto dot = name.rfind('.');
  const auto label = dot == std::string_view::npos ? name : name.substr(dot + 1);
  name = dot == std::string_view::npos ? std::string_view{} : name.substr(0, dot);
  return label;
}

/// Whether `host`, whose labels may end in `*`, is `above` or lies below it.
bool is_below_or_same(std::string_view host, std::string_view above) {
  while (!above.empty()) {
    if (host.empty()) return false;
    const auto label = take_last_label(above);
    const auto fits = take_last_label(host);
    if (fits != label && !(fits.ends_with('*') && label.starts_with(fits.substr(0, fits.size() - 1)))) return false;
  }
  return true;
}

/// What stands behind the last label with a wildcard.
std::string_view fixed_tail(std::string_view pattern) {
  const auto star = pattern.rfind('*');
  if (star == std::string_view::npos) return pattern;
  const auto dot = pattern.find('.', star);
  return dot == std::string_view::npos ? std::string_view{} : pattern.substr(dot + 1);
}

/// Where the pattern opens what is anyone's to host or to register: what that is; else empty.
std::string opened_to_anyone(std::string_view pattern) {
  const auto tail = fixed_tail(pattern);
  if (tail.find('.') == std::string_view::npos) return fmt::format("every {}", pattern);
  for (const auto host : shared_hosts)
    if (is_below_or_same(host, tail)) return std::string(host.find('*') == std::string_view::npos ? host : tail);
  return {};
}

/// Whether it had to.
bool refuse_top_level(const config::Text& entry, std::string_view pattern, config::Diagnostics& out) {
  if (!holds_top_level(pattern)) return false;
  out.error(entry.source,
            fmt::format("“{}” opens a whole top-level domain always: expected the names of the cloud itself", entry.value));
  return true;
}

}  // namespace

bool holds_top_level(std::string_view pattern) {
  return fixed_tail(pattern).find('.') == std::string_view::npos &&
         pattern.substr(0, pattern.rfind('.') + 1).find_first_not_of("*.") == std::string_view::npos;
}

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

std::vector<Category> compile_categories(const std::vector<config::Text>& list,
                                         const std::optional<std::vector<config::NamedList>>& known, config::Diagnostics& out) {
  std::vector<Category> categories;
  std::map<std::string_view, const config::Source*> seen;
  std::vector<std::string_view> names;
  if (known)
    for (const auto& one : *known) names.push_back(one.name);
  for (const auto& entry : list) {
    const auto [first, fresh] = seen.try_emplace(entry.value, &entry.source);
    if (!fresh) {
      out.warning(entry.source, fmt::format("“{}” is in this list already, first at {}", entry.value, to_string(*first->second)));
      continue;
    }
    const auto at = static_cast<std::size_t>(std::find(names.begin(), names.end(), entry.value) - names.begin());
    if (known && at < names.size() && known->at(at).awaited)
      out.warning(
          entry.source,
          fmt::format("list “{}” was not downloaded yet, and a reload is refused until it is: run “schultorctl lists update”",
                      entry.value));
    else if (known && at < names.size() && known->at(at).files.empty())
      out.warning(entry.source, fmt::format("list “{}” is empty: there is no file in it", entry.value));
    if (known && at == names.size())
      out.error(entry.source,
                fmt::format("there is no list “{}”{}", entry.value,
                            names.empty() ? fmt::format(": expected a folder lists/{} with a file domains in it", entry.value)
                                          : config::suggestion(entry.value, names)));
    categories.push_back({entry.value, {entry.source.file, entry.source.line}});
  }
  return categories;
}

bool is_anyones_to_host(std::string_view name) { return !opened_to_anyone(name).empty(); }

void check_cloud_names(const std::vector<config::Text>& cloud, config::Diagnostics& out) {
  for (const auto& entry : cloud) {
    const auto pattern = parse_pattern(entry.value, {});
    if (!pattern || refuse_top_level(entry, pattern->text, out)) continue;
    if (const auto opened = opened_to_anyone(pattern->text); !opened.empty())
      out.warning(entry.source,
                  fmt::format("“{}” opens {} always, where anyone may host: expected the names that the cloud itself uses there",
                              entry.value, opened));
  }
}

void check_listed_cloud_names(const std::vector<config::Text>& names, config::Diagnostics& out) {
  constexpr std::size_t most_shown = 3;
  std::map<std::string_view, const config::Source*> shared;
  for (const auto& name : names)
    if (!refuse_top_level(name, name.value, out) && !opened_to_anyone(name.value).empty())
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
