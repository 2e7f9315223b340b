// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/cache_rules.hpp"

#include "daemon/base/text.hpp"
#include "daemon/policy/json_reader.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

namespace schultor::policy {
namespace {

using nlohmann::json;

constexpr int format_version = 1;
constexpr std::size_t longest_json = 8U << 20U;
constexpr int deepest_nesting = 6;
constexpr std::size_t most_networks = 1024;
constexpr std::size_t most_addresses = 64;
constexpr std::uint64_t most_octets = std::numeric_limits<std::int64_t>::max();

json to_value(const Origin& origin) {
  json paths = json::array();
  for (const auto& rule : origin.paths)
    paths.push_back(
        {{"prefix", rule.prefix}, {"cache", rule.cache}, {"fresh", rule.fresh ? json(rule.fresh->count()) : json(nullptr)}});
  return {{"name", origin.name},
          {"hosts", origin.hosts},
          {"http", origin.http},
          {"https", origin.https},
          {"scope", origin.scope == Scope::all ? "all" : "school"},
          {"largest", origin.largest},
          {"longest", origin.longest.count()},
          {"paths", std::move(paths)}};
}

class Reader : public JsonReader {
public:
  CacheRules rules(const json& document) {
    CacheRules rules;
    if (!has_keys(document, {"version", "origins", "inside", "resolver", "lan", "directory", "size", "least_free"}, "rules"))
      return rules;
    if (document["version"] != format_version) refuse("expected version {}", format_version);
    if (!is_list(document["origins"], most_origins, "origins")) return rules;
    for (const auto& value : document["origins"]) {
      rules.origins.push_back(origin(value));
      if (!fault().empty()) return rules;
      if (const auto count = rules.origins.size(); count > 1 && rules.origins[count - 2].name >= rules.origins[count - 1].name)
        refuse("origins: expected them in the order of their names, each once");
    }
    for (const auto& value : list(document["inside"], most_networks, "inside")) {
      const auto prefix = base::parse_prefix(text(value, 64, "inside"));
      if (prefix) rules.inside.push_back(*prefix);
      else refuse("inside: {}", prefix.error().what());
    }
    if (const auto& resolver = document["resolver"]; !resolver.is_null()) {
      const auto endpoint = base::parse_endpoint(text(resolver, 64, "resolver"));
      if (endpoint) rules.resolver = *endpoint;
      else refuse("resolver: {}", endpoint.error().what());
    }
    for (const auto& value : list(document["lan"], most_addresses, "lan")) {
      const auto address = base::parse_address(text(value, 64, "lan"));
      if (address) rules.lan.push_back(*address);
      else refuse("lan: {}", address.error().what());
    }
    rules.directory = text(document["directory"], longest_cache_directory, "directory");
    if (!base::is_plain_path(rules.directory, longest_cache_directory))
      refuse("directory: expected an absolute path of plain characters");
    rules.size = number(document["size"], most_octets, "size");
    rules.least_free = number(document["least_free"], most_octets, "least_free");
    return rules;
  }

private:
  const json& list(const json& value, std::size_t most, std::string_view what) {
    static const json none = json::array();
    return is_list(value, most, what) ? value : none;
  }

  Origin origin(const json& value) {
    Origin origin;
    if (!has_keys(value, {"name", "hosts", "http", "https", "scope", "largest", "longest", "paths"}, "origin")) return origin;
    origin.name = text(value["name"], longest_origin_name, "origin name");
    if (!is_origin_name(origin.name)) refuse("origin name: expected 1 to {} of a-z, 0-9 and -", longest_origin_name);
    for (const auto& host : list(value["hosts"], most_origin_hosts, "hosts")) origin.hosts.push_back(this->host(host));
    if (origin.hosts.empty()) refuse("hosts: expected one at least");
    origin.http = flag(value["http"], "http");
    origin.https = flag(value["https"], "https");
    if (!origin.http && !origin.https) refuse("origin “{}”: expected http, https or both", origin.name);
    const auto scope = text(value["scope"], 8, "scope");
    if (scope == "all") origin.scope = Scope::all;
    else if (scope != "school") refuse("scope: expected “school” or “all”");
    origin.largest = number(value["largest"], most_octets, "largest");
    origin.longest = seconds(value["longest"], "longest");
    for (const auto& rule : list(value["paths"], most_path_rules, "paths")) {
      origin.paths.push_back(path(rule));
      if (const auto count = origin.paths.size(); count > 1 && origin.paths[count - 2].prefix >= origin.paths[count - 1].prefix)
        refuse("paths: expected them in order, each once");
    }
    return origin;
  }

  std::string host(const json& value) {
    auto name = text(value, 253, "hosts");
    const auto pattern = parse_pattern(name, {});
    if (!pattern || pattern->text != name || name.find('*') != std::string::npos)
      refuse("hosts: expected exact names in lower case without a dot at the end");
    else if (!hosts_.insert(name).second) refuse("hosts: {} occurs twice", name);
    return name;
  }

  PathRule path(const json& value) {
    PathRule rule;
    if (!has_keys(value, {"prefix", "cache", "fresh"}, "path")) return rule;
    rule.prefix = text(value["prefix"], longest_path_prefix, "prefix");
    if (!is_path_prefix(rule.prefix)) refuse("prefix: expected a path as in a request line");
    rule.cache = flag(value["cache"], "cache");
    if (!value["fresh"].is_null()) rule.fresh = seconds(value["fresh"], "fresh");
    return rule;
  }

  std::chrono::seconds seconds(const json& value, std::string_view what) {
    return std::chrono::seconds(number(value, static_cast<std::uint64_t>(std::chrono::seconds(longest_freshness).count()), what));
  }

  std::set<std::string> hosts_;
};

}  // namespace

bool is_origin_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_origin_name && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

bool is_path_prefix(std::string_view text) {
  if (text.empty() || text.size() > longest_path_prefix || text.front() != '/') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/-._~!$&'()*+,;=:@%").find(c) != std::string_view::npos;
  });
}

std::string to_json(const CacheRules& rules) {
  json origins = json::array();
  for (const auto& origin : rules.origins) origins.push_back(to_value(origin));
  json inside = json::array();
  for (const auto& prefix : rules.inside) inside.push_back(base::to_string(prefix));
  json lan = json::array();
  for (const auto& address : rules.lan) lan.push_back(base::to_string(address));
  const json document = {
      {"version", format_version},   {"origins", std::move(origins)},
      {"inside", std::move(inside)}, {"resolver", rules.resolver ? json(base::to_string(*rules.resolver)) : json(nullptr)},
      {"lan", std::move(lan)},       {"directory", rules.directory},
      {"size", rules.size},          {"least_free", rules.least_free}};
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

base::Result<CacheRules> cache_rules_from_json(std::string_view text) {
  const auto document = parse_json(text, longest_json, deepest_nesting);
  if (!document)
    return base::fail("the cache's rules are no JSON document of at most {} octets and the expected depth", longest_json);
  Reader reader;
  auto rules = reader.rules(*document);
  if (!reader.fault().empty()) return base::fail("the cache's rules: {}", reader.fault());
  return rules;
}

}  // namespace schultor::policy
