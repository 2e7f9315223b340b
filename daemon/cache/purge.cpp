// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/purge.hpp"

#include "daemon/base/text.hpp"
#include "daemon/cache/store.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace schultor::cache {
namespace {

using Condemned = std::function<bool(const StoredHead&)>;

std::string lower(std::string_view text) {
  std::string low(text);
  for (char& c : low) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return low;
}

/// As it stands in keys: scheme and host in lower case, a path.
base::Result<std::string> canonical(std::string_view address) {
  const auto host = address.find("://") + 3;
  const auto scheme = lower(address.substr(0, host));
  address = address.substr(0, address.find('#'));
  const auto path = std::min(address.find_first_of("/?", host), address.size());
  if ((scheme != "http://" && scheme != "https://") || path == host)
    return base::fail("“{}” is no address of http or https, such as https://filme.example/a.mp4", base::printable(address, 200));
  const auto rest = address.substr(path);
  auto authority = lower(address.substr(host, path - host));
  const std::string_view usual_port = scheme == "http://" ? ":80" : ":443";
  if (authority.ends_with(usual_port)) authority.resize(authority.size() - usual_port.size());
  if (authority.ends_with('.')) authority.pop_back();
  return scheme + authority + (rest.substr(0, 1) == "/" ? "" : "/") + std::string(rest);
}

}  // namespace

base::Result<Condemned> condemned(std::string_view what, const policy::CacheRules& rules) {
  if (what.empty()) return Condemned([](const StoredHead&) { return true; });
  if (what.find("://") != std::string_view::npos) {
    auto address = canonical(what);
    if (!address) return base::pass(std::move(address));
    const auto is_kept = [host = host_of_key(*address)](const auto& origin) {
      return std::find(origin.hosts.begin(), origin.hosts.end(), host) != origin.hosts.end();
    };
    if (std::none_of(rules.origins.begin(), rules.origins.end(), is_kept))
      return base::fail("“{}” is at no host of an [[origin]]: nothing of it is kept", base::printable(what, 200));
    return Condemned([address = std::move(*address)](const StoredHead& head) { return is_of_address(head.key, address); });
  }
  const auto named =
      std::find_if(rules.origins.begin(), rules.origins.end(), [&](const auto& origin) { return origin.name == what; });
  if (named == rules.origins.end())
    return base::fail("“{}” is neither an address nor the name of an [[origin]]: “schultorctl policy” names them",
                      base::printable(what, 200));
  return Condemned([hosts = named->hosts](const StoredHead& head) {
    return std::find(hosts.begin(), hosts.end(), host_of_key(head.key)) != hosts.end();
  });
}

}  // namespace schultor::cache
