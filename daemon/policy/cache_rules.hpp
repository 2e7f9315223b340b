// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/address.hpp"
#include "daemon/base/result.hpp"
#include "daemon/policy/name_patterns.hpp"
#include "daemon/policy/scope.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The part of the policy that the content cache works by: origins, and where it may reach them. No groups, no devices, no hours.
namespace schultor::policy {

/// Of one origin.
inline constexpr std::size_t most_origin_hosts = 32;
inline constexpr std::size_t most_path_rules = 32;
inline constexpr std::size_t longest_origin_name = 63;
inline constexpr std::size_t longest_path_prefix = 1024;
inline constexpr std::size_t longest_cache_directory = 255;
/// Of anything stored.
inline constexpr std::chrono::hours longest_freshness{366 * 24};

/// 1 to longest_origin_name of a-z, 0-9 and -, of which the last does not come first.
[[nodiscard]] bool is_origin_name(std::string_view text);
/// "/packages/": begins with a slash, and holds what a path may hold in a request line (RFC 3986, pchar and "/").
[[nodiscard]] bool is_path_prefix(std::string_view text);

/// [[origin.path]]: what holds below a path. The longest prefix that fits decides.
struct PathRule {
  std::string prefix;  ///< "/packages/"; as in the request line, percent-encoding and all
  bool cache = true;   ///< false: is never stored, whatever the origin says
  /// Answers that say nothing of their own freshness (RFC 9111, 4.2.2) count as fresh for so long; none: they do not.
  std::optional<std::chrono::seconds> fresh;
  bool operator==(const PathRule&) const = default;
};

/// A site whose content is kept on the premises.
struct Origin {
  std::string name;                ///< what commands and figures call it: as a school's name
  std::vector<std::string> hosts;  ///< exact names: lower case, A-labels, no trailing dot; each of one origin only
  bool http = false;               ///< answers to http are kept
  bool https = false;              ///< as well; needs a certificate of the box's own for each host
  Scope scope = Scope::school;
  std::uint64_t largest = 0;        ///< octets; of a longer representation nothing is stored
  std::chrono::seconds longest{0};  ///< nothing counts as fresh for longer, whatever the origin says
  std::vector<PathRule> paths;      ///< in the order of their prefixes, each once
  Source source;                    ///< where it is written; not handed over
};

struct CacheRules {
  std::vector<Origin> origins;       ///< in the order of their names, at most most_origins
  std::vector<base::Prefix> inside;  ///< private and special networks: no origin is looked for there
  std::optional<base::Endpoint> resolver;
  std::vector<base::Address> lan;  ///< where the engine answers tablets
  std::string directory;           ///< of what is stored: base::is_plain_path
  std::uint64_t size = 0;          ///< octets that it may take
  std::uint64_t least_free = 0;    ///< octets that its file system keeps free
};

/// As JSON, and back: how schultord hands the rules to the cache. Reading is strict and bounded.
[[nodiscard]] std::string to_json(const CacheRules& rules);
[[nodiscard]] base::Result<CacheRules> cache_rules_from_json(std::string_view json);

}  // namespace schultor::policy
