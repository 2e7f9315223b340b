// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile_groups.hpp"

#include "daemon/policy/compile_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::policy {
namespace {

using config::Text;

void check_unknown_group(const config::School& school, config::Diagnostics& out) {
  const Text* first = nullptr;
  for (const auto& group : school.groups) {
    if (!group.unknown) continue;
    if (first != nullptr)
      out.error(group.name.source, fmt::format("group “{}” has unknown = true, as “{}” has ({}): expected exactly one",
                                               group.name.value, first->value, to_string(first->source)));
    else first = &group.name;
  }
  if (first == nullptr)
    out.error({"school.toml", 1, 1}, "no group has unknown = true, expected exactly one, for the devices that nothing else names");
}

void check_unknown_has_profile(const config::School& school, config::Diagnostics& out) {
  for (const auto& group : school.groups) {
    if (!group.unknown || group.schedule || group.profile) continue;
    const bool others = std::any_of(school.groups.begin(), school.groups.end(), [](const config::Group& other) {
      return !other.unknown && other.ownership == config::Ownership::school;
    });
    if (!others)
      out.error(group.name.source,
                fmt::format("group “{}” has neither schedule nor profile, and there is no group with ownership = \"school\" whose "
                            "strictest profile it could have: expected a schedule or a profile",
                            group.name.value));
  }
}

void check_prefixes(const config::School& school, config::Diagnostics& out) {
  std::map<base::Prefix, config::Source> owners;
  for (const auto& group : school.groups)
    for (const auto& prefix : group.prefixes) {
      check_is_somebodys(prefix, out);
      if (prefix.value.length == 0)
        out.error(prefix.source,
                  fmt::format("network {} is all there are: expected networks behind a router; what nothing else names is in the "
                              "group with unknown = true",
                              to_string(prefix.value)));
      if (const auto [first, fresh] = owners.try_emplace(prefix.value, prefix.source); !fresh)
        out.error(prefix.source, fmt::format("network {} is a group's already, first at {}: expected it once, or a part of it",
                                             to_string(prefix.value), to_string(first->second)));
    }
}

void check_interfaces(const config::Config& config, config::Diagnostics& out) {
  std::map<std::string, config::Source> owners;
  std::vector<std::string_view> lan;
  for (const auto& name : config.gateway.lan_interfaces) lan.push_back(name.value);
  for (const auto& group : config.school.groups)
    for (const auto& name : group.interfaces) {
      const auto [first, fresh] = owners.try_emplace(name.value, name.source);
      if (!fresh)
        out.error(name.source,
                  fmt::format("interface “{}” is a group's already, first at {}", name.value, to_string(first->second)));
      if (!lan.empty() && std::find(lan.begin(), lan.end(), name.value) == lan.end())
        out.error(name.source, fmt::format("interface “{}” is none of [lan] in gateway.toml{}", name.value,
                                           config::suggestion(name.value, lan)));
    }
}

}  // namespace

void check_groups(const config::Config& config, const config::Unread& unread, config::Diagnostics& out) {
  if (!unread.school) {
    check_unknown_group(config.school, out);
    check_unknown_has_profile(config.school, out);
  }
  check_prefixes(config.school, out);
  check_interfaces(config, out);
}

}  // namespace schultor::policy
