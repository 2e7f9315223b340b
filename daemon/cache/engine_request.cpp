// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/engine_request.hpp"

#include "daemon/cache/entity_tag.hpp"

#include <algorithm>
#include <array>

namespace schultor::cache {
namespace {

constexpr std::size_t longest_target = 16U << 10U;
constexpr std::string_view own_prefix = "X-Schultor-";
constexpr std::array<std::string_view, 8> left_out = {
    "Host", "Content-Length", "Expect", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "X-Forwarded-Proto"};
/// What has a server answer for another URL, host or method than those that a response is stored under.
constexpr std::array<std::string_view, 9> misleading = {"X-Forwarded-", "X-Original-", "X-Rewrite-", "X-HTTP-Method",  "X-Method-",
                                                        "X-Host",       "X-Accel-",    "X-Origin-",  "Front-End-Https"};
constexpr std::array<std::string_view, 7> of_credentials = {"auth", "cookie", "token", "api-key", "apikey", "session", "secret"};

bool holds_without_case(std::string_view text, std::string_view wanted) {
  for (std::size_t at = 0; at + wanted.size() <= text.size(); ++at)
    if (equal_without_case(text.substr(at, wanted.size()), wanted)) return true;
  return false;
}

bool begins_without_case(std::string_view text, std::string_view start) {
  return text.size() >= start.size() && equal_without_case(text.substr(0, start.size()), start);
}

bool is_target(std::string_view target) {
  const auto is_visible = [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '#'; };
  return target.starts_with('/') && target.size() <= longest_target && std::all_of(target.begin(), target.end(), is_visible);
}

bool is_host(std::string_view host) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), is_allowed);
}

bool is_own(std::string_view name) {
  return name.size() >= own_prefix.size() && equal_without_case(name.substr(0, own_prefix.size()), own_prefix);
}

bool has_one_that_is_old(std::string_view cache_status) {
  return cache_status == "EXPIRED" || cache_status == "STALE" || cache_status == "UPDATING";
}

}  // namespace

base::Result<EngineRequest> read_engine_request(RequestHead head) {
  EngineRequest request;
  if (!head.well_formed) return base::fail("fields that are none, or too many");
  if (!is_token(head.method) || head.method == "CONNECT") return base::fail("the method cannot be passed on");
  if (!is_target(head.target)) return base::fail("the request target is not in origin form");
  const auto host = head.fields.single("Host").value_or("");
  if (!is_host(host)) return base::fail("Host is no name of a host");
  const auto scheme = head.fields.single("X-Schultor-Scheme").value_or("");
  if (scheme != "http" && scheme != "https") return base::fail("X-Schultor-Scheme is neither http nor https");
  request.host = host;
  request.https = scheme == "https";
  request.store = head.method == "GET" && head.fields.single("X-Schultor-Store") == "1";
  if (request.store) {
    request.slice = read_slice(head.fields.single("Range").value_or(""));
    if (head.fields.has("Range") && !request.slice) return base::fail("Range is no slice");
    request.has_stored = has_one_that_is_old(head.fields.first("X-Schultor-Cache").value_or(""));
  }
  request.parked = head.fields.single("X-Schultor-Parked").value_or("");
  request.method = std::move(head.method);
  request.target = std::move(head.target);
  request.fields = std::move(head.fields);
  return request;
}

bool EngineRequest::has_credentials() const {
  return std::any_of(fields.all().begin(), fields.all().end(), [](const HeaderField& field) {
    return std::any_of(of_credentials.begin(), of_credentials.end(),
                       [&](auto part) { return holds_without_case(field.name, part); });
  });
}

HeaderFields fields_for_origin(const EngineRequest& request, bool whole) {
  HeaderFields fields;
  const auto sent = end_to_end(request.fields);
  for (const auto& [name, value] : sent.all()) {
    const auto is_name = [&name = name](std::string_view other) { return equal_without_case(name, other); };
    const auto is_start = [&name = name](std::string_view start) { return begins_without_case(name, start); };
    if (is_own(name) || std::any_of(left_out.begin(), left_out.end(), is_name)) continue;
    if (request.store && std::any_of(misleading.begin(), misleading.end(), is_start)) continue;
    if (whole && (is_name("Range") || is_name("If-Range"))) continue;
    static_cast<void>(fields.add(name, value));
  }
  restore_conditions(fields);
  static_cast<void>(fields.add("Via", "1.1 schultor"));
  return fields;
}

}  // namespace schultor::cache
