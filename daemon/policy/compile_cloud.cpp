// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile_cloud.hpp"

#include "daemon/policy/compile_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace schultor::policy {
namespace {

/// Of all lists. The ruleset cuts ranges that overlap, which takes longer the more there are.
constexpr std::size_t most_ranges = 4096;

std::string to_text(const Ports& ports) {
  constexpr std::size_t most_shown = 6;
  std::string text;
  for (std::size_t i = 0; i < ports.size() && i < most_shown; ++i) text += (i == 0 ? "" : ", ") + base::to_string(ports[i]);
  return ports.size() > most_shown ? text + ", …" : text;
}

/// Makes the cloud of [cloud] domains and of the entries of endpoint lists.
class CloudCompiler {
public:
  CloudCompiler(Policy& policy, config::Diagnostics& out) : policy_(policy), out_(out) {}

  void add_domains(const std::vector<config::Text>& domains) {
    for (auto& pattern : compile_patterns(domains, out_)) add(std::move(pattern), cloud_door);
    check_cloud_names(domains, out_);
  }

  void add_list(const config::EndpointList& list) {
    std::vector<config::Text> names;
    for (const auto& endpoint : list.endpoints) {
      add_ranges(endpoint);
      add_names(endpoint, names);
    }
    check_listed_cloud_names(names, out_);
  }

  void finish() {
    auto& ranges = policy_.cloud_ranges;
    std::sort(ranges.begin(), ranges.end());
    ranges.erase(std::unique(ranges.begin(), ranges.end()), ranges.end());
    if (ranges.size() > most_ranges)
      out_.error(ranges_end_, fmt::format("{} ranges of addresses and ports are the cloud's with this entry: expected at most {}",
                                          ranges.size(), most_ranges));
    policy_.gate.cloud = NamePatterns(std::move(patterns_));
  }

private:
  void add(Pattern pattern, Doors doors) {
    const auto [known, fresh] = known_.try_emplace(pattern.text, patterns_.size());
    if (!fresh) {
      patterns_[known->second].doors |= doors;
      return;
    }
    pattern.doors = doors;
    patterns_.push_back(std::move(pattern));
  }

  void add_names(const config::Endpoint& endpoint, std::vector<config::Text>& names) {
    if (endpoint.names.empty() || endpoint.ports.empty()) return;
    const auto doors = doors_for(endpoint);
    for (const auto& name : endpoint.names) {
      auto pattern = parse_pattern(name, {endpoint.source.file, endpoint.source.line});
      if (!pattern) {
        out_.error(endpoint.source, fmt::format("entry {}: urls: {}", endpoint.id, pattern.error().what()));
        continue;
      }
      names.push_back({pattern->text, endpoint.source});
      add(std::move(*pattern), doors);
    }
  }

  /// Of services without names. Where there are names, these decide, and not an address.
  void add_ranges(const config::Endpoint& endpoint) {
    if (!endpoint.names.empty()) return;
    for (const auto& prefix : endpoint.prefixes)
      for (const auto& ports : endpoint.ports) policy_.cloud_ranges.push_back({prefix, ports});
    if (!endpoint.prefixes.empty()) ranges_end_ = endpoint.source;
  }

  /// The door of the entry's ports, a new one for ports that no entry had before.
  Doors doors_for(const config::Endpoint& endpoint) {
    const auto count = base::count_ports(endpoint.ports);
    if (count > most_pinned_ports) {
      out_.error(endpoint.source,
                 fmt::format("entry {}: names that are open on {} ports ({}), each of which would be opened by itself for every "
                             "address of theirs: expected at most {}, or addresses without names",
                             endpoint.id, count, to_text(endpoint.ports), most_pinned_ports));
      return cloud_door;
    }
    if (endpoint.ports == usual_cloud_ports()) return cloud_door;
    auto& classes = policy_.gate.cloud_ports;
    const auto known = std::find(classes.begin(), classes.end(), endpoint.ports);
    if (known != classes.end()) return port_class_door(static_cast<std::size_t>(known - classes.begin()));
    if (classes.size() == most_port_classes) {
      out_.error(endpoint.source,
                 fmt::format("entry {}: names that are open on {}: expected at most {} different sets of ports for "
                             "names in all lists, {} aside",
                             endpoint.id, to_text(endpoint.ports), most_port_classes, to_text(usual_cloud_ports())));
      return cloud_door;
    }
    classes.push_back(endpoint.ports);
    return port_class_door(classes.size() - 1);
  }

  Policy& policy_;
  config::Diagnostics& out_;
  std::vector<Pattern> patterns_;
  std::map<std::string, std::size_t> known_;  ///< index by text
  config::Source ranges_end_;                 ///< the last entry with addresses
};

}  // namespace

void compile_cloud(const config::City& city, Policy& policy, config::Diagnostics& out) {
  CloudCompiler compiler(policy, out);
  compiler.add_domains(city.cloud_domains);
  for (const auto& list : city.cloud_endpoints) compiler.add_list(list);
  compiler.finish();
}

}  // namespace schultor::policy
