// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile_origins.hpp"

#include "daemon/policy/identity_providers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace schultor::policy {
namespace {

bool is_within(std::string_view name, std::string_view zone) {
  return name == zone || (name.size() > zone.size() && name.ends_with(zone) && name[name.size() - zone.size() - 1] == '.');
}

/// One that the name is, lies below or is above of; empty where there is none.
std::string_view identity_provider_of(std::string_view host) {
  const auto found = std::find_if(identity_providers.begin(), identity_providers.end(), [&](std::string_view provider) {
    return is_within(host, provider) || is_within(provider, host);
  });
  return found == identity_providers.end() ? std::string_view{} : *found;
}

/// "inhalte.test" as "inhalte-test".
std::string name_after(std::string_view host) {
  std::string name(host.substr(0, longest_origin_name));
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '.' || c == '_'; }, '-');
  return name;
}

class OriginCompiler {
public:
  OriginCompiler(const GateRules& gate, const config::Unread& unread, config::Diagnostics& out)
      : gate_(gate), unread_(unread), out_(out) {}

  void add(const config::Origin& written) {
    Origin origin;
    origin.source = {written.source.file, written.source.line};
    origin.http = written.http;
    origin.https = written.https;
    origin.scope = written.for_all ? Scope::all : Scope::school;
    origin.largest = written.largest;
    origin.longest = written.longest;
    for (const auto& name : written.names) add_host(name, origin);
    if (written.names.size() > most_origin_hosts)
      out_.error(written.names[most_origin_hosts].source, fmt::format("an origin of more than {} names", most_origin_hosts));
    name(written, origin);
    add_paths(written, origin);
    if (!origin.hosts.empty()) origins_.push_back(std::move(origin));
  }

  std::vector<Origin> take() {
    if (origins_.size() > most_origins) {
      const auto& beyond = origins_[most_origins].source;
      out_.error({beyond.file, beyond.line}, fmt::format("more than {} origins, those of city and school together", most_origins));
    }
    std::sort(origins_.begin(), origins_.end(), [](const Origin& a, const Origin& b) { return a.name < b.name; });
    return std::move(origins_);
  }

private:
  void add_host(const config::Text& written, Origin& origin) {
    const auto pattern = parse_pattern(written.value, {});
    if (!pattern) return out_.error(written.source, pattern.error().what());
    const auto& host = pattern->text;
    if (host.find('*') != std::string::npos)
      return out_.error(written.source,
                        fmt::format("“{}” is a pattern: expected each name of the origin by itself, since what is not "
                                    "named is passed through untouched",
                                    written.value));
    if (const auto provider = identity_provider_of(host); !provider.empty())
      return out_.error(
          written.source,
          fmt::format("“{}” is never kept: people sign in at {}, and nobody is to stand between them: remove it", host, provider));
    if (gate_.cloud.best(host).pattern == nullptr && !unread_.city)
      return out_.error(
          written.source,
          fmt::format("“{}” is not within [cloud] of city.toml, and only what is always open is kept: expected a name "
                      "that [cloud] has, or ask the city to add it",
                      host));
    const auto [first, fresh] = hosts_.try_emplace(host, written.source);
    if (!fresh)
      return out_.error(written.source,
                        fmt::format("“{}” is a name of an origin already, first at {}", host, to_string(first->second)));
    origin.hosts.push_back(host);
  }

  void name(const config::Origin& written, Origin& origin) {
    const auto source = written.name ? written.name->source : written.source;
    if (written.name && !is_origin_name(written.name->value))
      out_.error(source, fmt::format("“{}” is no name for an origin: expected at most {} of a-z, 0-9 and -, not beginning with -",
                                     written.name->value, longest_origin_name));
    origin.name = written.name ? written.name->value : origin.hosts.empty() ? std::string() : name_after(origin.hosts.front());
    if (origin.name.empty()) return;
    const auto [first, fresh] = names_.try_emplace(origin.name, source);
    if (!fresh)
      out_.error(source, fmt::format("origin “{}” exists already, first at {}: expected another name", origin.name,
                                     to_string(first->second)));
  }

  void add_paths(const config::Origin& written, Origin& origin) {
    if (written.paths.size() > most_path_rules)
      out_.error(written.paths[most_path_rules].path.source, fmt::format("an origin of more than {} paths", most_path_rules));
    for (const auto& rule : written.paths) {
      const auto& path = rule.path;
      if (path.value.empty() && path.source.line == 0) continue;
      if (!is_path_prefix(path.value))
        out_.error(path.source,
                   fmt::format("“{}” is no path: expected what an address has behind its host, such as \"/packages/\", "
                               "other characters than ASCII percent-encoded",
                               path.value));
      const auto known = [&](const PathRule& other) { return other.prefix == path.value; };
      if (std::any_of(origin.paths.begin(), origin.paths.end(), known))
        out_.error(path.source, fmt::format("path “{}” is there already: expected each once", path.value));
      origin.paths.push_back({path.value, rule.cache, rule.fresh});
    }
    std::sort(origin.paths.begin(), origin.paths.end(), [](const PathRule& a, const PathRule& b) { return a.prefix < b.prefix; });
  }

  const GateRules& gate_;
  const config::Unread& unread_;
  config::Diagnostics& out_;
  std::vector<Origin> origins_;
  std::map<std::string, config::Source> hosts_;
  std::map<std::string, config::Source> names_;
};

std::vector<SteeredHost> steered_hosts(const std::vector<Origin>& origins) {
  std::vector<SteeredHost> steered;
  for (std::size_t i = 0; i < origins.size(); ++i)
    for (const auto& host : origins[i].hosts) steered.push_back({host, i, origins[i].scope, origins[i].source});
  std::sort(steered.begin(), steered.end(), [](const SteeredHost& a, const SteeredHost& b) { return a.host < b.host; });
  return steered;
}

}  // namespace

void compile_origins(const config::Config& config, const config::Unread& unread, Policy& policy, config::Diagnostics& out) {
  OriginCompiler compiler(policy.gate, unread, out);
  for (const auto* list : {&config.city.origins, &config.school.origins})
    for (const auto& origin : *list) compiler.add(origin);
  auto origins = compiler.take();
  if (origins.empty() || !config.gateway.cache) return;
  CacheRules cache;
  policy.gate.steered = steered_hosts(origins);
  cache.origins = std::move(origins);
  cache.inside = policy.network.inside;
  if (config.gateway.resolver) cache.resolver = config.gateway.resolver->value;
  for (const auto& own : policy.gate.lan) cache.lan.push_back(own.address);
  cache.directory = config.gateway.cache->directory;
  cache.size = config.gateway.cache->size;
  cache.least_free = config.gateway.cache->least_free;
  policy.cache = std::move(cache);
}

}  // namespace schultor::policy
