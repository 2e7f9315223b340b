// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/policy/cache_rules.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// nginx's configuration, from what the cache is told. Pure: nothing is read, nothing is written.
namespace schultor::cache {

/// Where the ruleset redirects tablets to (netfilter/planner): nginx needs no right to take ports below 1024.
inline constexpr std::uint16_t http_port = 8080;         ///< of port 80
inline constexpr std::uint16_t tls_port = 8443;          ///< of port 443, for who knows the box's certificates
inline constexpr std::uint16_t passthrough_port = 8444;  ///< of port 443, for everybody else

/// What is stored together and fetched together, in octets: of a film that is opened in the middle two of them are fetched.
inline constexpr std::uint64_t slice_size = 4ULL << 20U;

/// By which configuration the engine works, it says in its answer to who asks for its health (engine_request.hpp).
inline constexpr std::string_view generation_header = "X-Schultor-Generation";

/// Of the machine, and of the moment.
struct EngineSettings {
  std::string runtime;                 ///< absolute; holds the hop's socket, nginx's pid and what it counts
  std::string certificates;            ///< absolute; HOST.pem holds key, certificate and chain
  std::vector<std::string> certified;  ///< hosts that have a certificate which is well, in order
  unsigned workers = 1;
  std::uint64_t certificates_edition = 0;  ///< another one: nginx is to read the certificates again
};

struct NginxConfiguration {
  std::string text;
  std::string generation;  ///< changes with the text; the engine tells it by `generation_header`
};

/// Refuses rules that hold a name or a path which would say something else to nginx.
[[nodiscard]] base::Result<NginxConfiguration> nginx_configuration(const policy::CacheRules& rules, const EngineSettings& settings);

/// The key that nginx stores a slice under. `slice` is its range, "bytes=0-4194303"; empty of what is stored in one piece.
[[nodiscard]] std::string storage_key(std::string_view scheme, std::string_view host, std::string_view request_uri,
                                      std::string_view slice);
/// The range of the slice of that number, from 0.
[[nodiscard]] std::string slice_range(std::uint64_t number);

}  // namespace schultor::cache
