// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/freshness.hpp"

#include "daemon/cache/cache_control.hpp"
#include "daemon/cache/http_date.hpp"

#include <algorithm>
#include <array>

namespace schultor::cache {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

/// Fresh for some time though nobody says so, by their definition (RFC 9110, 15.1).
constexpr std::array<int, 12> heuristically_cacheable = {200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501};

bool is_heuristically_cacheable(int status) {
  return std::find(heuristically_cacheable.begin(), heuristically_cacheable.end(), status) != heuristically_cacheable.end();
}

bool is_whole_or_part(int status) { return status == 200 || status == 206 || status == 304; }

std::optional<seconds> time_left(std::optional<seconds> lifetime, seconds age) {
  return lifetime ? std::optional(*lifetime - age) : std::nullopt;
}

sys_seconds date_of(const Exchange& exchange) {
  return read_http_date(exchange.response.first("Date").value_or(""), exchange.now).value_or(exchange.now);
}

/// RFC 9111, 4.2.3. Of several values of Age the first counts, one that is no number of seconds is ignored (5.1).
seconds age_of(const Exchange& exchange) {
  const auto apparent = std::max(exchange.now - date_of(exchange), seconds{0});
  const auto value = exchange.response.first("Age").value_or("");
  const auto told = read_delta_seconds(trimmed(value.substr(0, value.find(',')))).value_or(seconds{0});
  const auto delay = std::max(exchange.now - exchange.asked, seconds{0});
  return std::min(std::max(apparent, told + delay), longest_delta);
}

/// RFC 9111, 4.2.1; none where nothing is said.
std::optional<seconds> lifetime_of(const Exchange& exchange, const CacheControl& control) {
  if (control.s_maxage) return control.s_maxage;
  if (control.max_age) return control.max_age;
  if (!exchange.response.has("Expires")) return std::nullopt;
  // What is no date, or two of them, is past (5.3).
  const auto expires = read_http_date(exchange.response.single("Expires").value_or(""), exchange.now);
  return expires ? std::clamp(*expires - date_of(exchange), seconds{0}, longest_delta) : seconds{0};
}

bool varies_by_anything(const HeaderFields& response) {
  const auto vary = response.joined("Vary").value_or("");
  const auto members = list_members(vary);
  return std::find(members.begin(), members.end(), "*") != members.end();
}

std::optional<Refusal> refusal_of(const Exchange& exchange, const UrlRules& rules, const CacheControl& control) {
  if (!rules.kept || exchange.complete.value_or(0) > rules.largest) return Refusal::rules;
  if (control.no_store || control.is_private) return Refusal::directive;
  if (exchange.response.has("Set-Cookie")) return Refusal::cookie;
  if (varies_by_anything(exchange.response)) return Refusal::varies;
  if (exchange.status < 200 || exchange.status > 599 || exchange.status == 598) return Refusal::status;
  if (!exchange.delimited) return Refusal::endless;
  if (exchange.credentials && !control.is_public) return Refusal::credentials;
  return std::nullopt;
}

bool has_validator(const HeaderFields& response) { return response.has("ETag") || response.has("Last-Modified"); }

/// Beyond freshness it may be handed out only where nothing says that it is to be validated first (RFC 9111, 4.2.4).
void allow_stale(Judgement& judgement, const CacheControl& control) {
  if (control.must_revalidate || control.proxy_revalidate || control.s_maxage || control.no_cache) return;
  judgement.stale_if_error = std::min(control.stale_if_error.value_or(usual_stale_if_error), usual_stale_if_error);
  judgement.stale_while_revalidate = control.stale_while_revalidate.value_or(seconds{0});
}

}  // namespace

UrlRules rules_of(const policy::Origin& origin, bool https, std::string_view target) {
  UrlRules rules{https ? origin.https : origin.http, origin.largest, origin.longest, std::nullopt};
  const policy::PathRule* longest = nullptr;
  for (const auto& rule : origin.paths)
    if (target.starts_with(rule.prefix) && (!longest || rule.prefix.size() > longest->prefix.size())) longest = &rule;
  if (!longest) return rules;
  rules.kept = rules.kept && longest->cache;
  rules.fresh = longest->fresh;
  return rules;
}

Judgement judge(const Exchange& exchange, const UrlRules& rules) {
  const auto control = read_cache_control(exchange.response.joined("Cache-Control").value_or(""));
  Judgement judgement;
  judgement.age = age_of(exchange);
  judgement.refusal = refusal_of(exchange, rules, control);
  if (judgement.refusal) return judgement;

  auto left = time_left(lifetime_of(exchange, control), judgement.age);
  if (!left && (is_heuristically_cacheable(exchange.status) || exchange.status == 304 || control.is_public))
    left = time_left(rules.fresh, judgement.age);
  if (left && !control.no_cache) judgement.fresh = std::clamp(*left, seconds{0}, std::max(rules.longest, seconds{0}));

  const bool never_fresh = judgement.fresh <= seconds{0};
  if (never_fresh && !is_whole_or_part(exchange.status)) judgement.refusal = Refusal::status;
  else if (never_fresh && exchange.status != 304 && !has_validator(exchange.response)) judgement.refusal = Refusal::pointless;
  allow_stale(judgement, control);
  return judgement;
}

}  // namespace schultor::cache
