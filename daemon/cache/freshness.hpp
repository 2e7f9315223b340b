// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/cache/header_fields.hpp"
#include "daemon/policy/cache_rules.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Whether a shared cache may store a response, and for how long it is fresh: RFC 9111, and what the rules add to it. Pure.
namespace schultor::cache {

/// What the rules say of one URL.
struct UrlRules {
  bool kept = true;                             ///< false: nothing is stored, whatever the origin says
  std::uint64_t largest = 0;                    ///< octets of a representation
  std::chrono::seconds longest{0};              ///< at most so long is fresh at once
  std::optional<std::chrono::seconds> fresh{};  ///< for responses that say nothing of their own freshness
};

/// By the longest prefix of the origin's that `target`, a request target in origin form, begins with.
[[nodiscard]] UrlRules rules_of(const policy::Origin& origin, bool https, std::string_view target);

/// What is judged: a response to GET.
struct Exchange {
  bool credentials = false;  ///< the request bore Authorization or Cookie
  int status = 0;
  const HeaderFields& response;
  std::optional<std::uint64_t> complete;  ///< octets of the whole representation, where they are known
  bool delimited = true;                  ///< the body's end is told, not only by the connection's
  std::chrono::sys_seconds asked;
  std::chrono::sys_seconds now;
};

/// Why a response is not stored.
enum class Refusal : std::uint8_t {
  credentials,  ///< the request bore some and the response is not explicitly public: the one reason that lies in the request
  rules,        ///< path, scheme or largest
  directive,    ///< no-store, private
  cookie,       ///< Set-Cookie
  varies,       ///< Vary: *
  status,       ///< one that is not stored, or not without a time for which it is fresh
  endless,      ///< its body may have been cut short without anybody's noticing
  pointless,    ///< never fresh, and nothing to validate it by
};

struct Judgement {
  std::optional<Refusal> refusal;                  ///< none: it may be stored
  std::chrono::seconds fresh{0};                   ///< for how long from now; 0: it is validated each time
  std::chrono::seconds age{0};                     ///< RFC 9111, 4.2.3
  std::chrono::seconds stale_if_error{0};          ///< beyond freshness; 0: never
  std::chrono::seconds stale_while_revalidate{0};  ///< likewise
};
[[nodiscard]] Judgement judge(const Exchange& exchange, const UrlRules& rules);

/// As long as what is stored may be handed out while its origin cannot be had, where that says nothing else.
inline constexpr std::chrono::seconds usual_stale_if_error = std::chrono::days{30};

}  // namespace schultor::cache
