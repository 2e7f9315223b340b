// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/decision.hpp"

#include "daemon/cache/entity_tag.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace schultor::cache {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;
using Move = Decision::Move;

constexpr std::string_view engine_prefix = "X-Accel-";
constexpr std::string_view own_prefixes[] = {"X-Schultor-", "X-Origin-"};
/// Content-Length is the server's to say. Alt-Svc names another way to this origin, which is none to this machine.
constexpr std::array<std::string_view, 2> never_passed_on = {"Content-Length", "Alt-Svc"};
/// The hop says these in its own words.
constexpr std::array<std::string_view, 4> said_anew = {"Cache-Control", "Expires", "Age", "Content-Range"};

bool begins_with(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() && equal_without_case(name.substr(0, prefix.size()), prefix);
}

template <typename Names>
bool is_one_of(const Names& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view other) { return equal_without_case(name, other); });
}

/// What commands the engine, and what the hop says to it, is no origin's to say.
bool is_passed_on(std::string_view name) {
  if (begins_with(name, engine_prefix) || is_one_of(never_passed_on, name)) return false;
  return std::none_of(std::begin(own_prefixes), std::end(own_prefixes), [&](auto prefix) { return begins_with(name, prefix); });
}

bool has_no_body(int status) { return status == 204 || status == 304; }

bool is_trouble(int status) { return status == 500 || status == 502 || status == 503 || status == 504; }

/// A part that is the slice, with all that the engine needs to put it beside others.
struct Part {
  ContentRange range;
  std::string made_tag;  ///< empty: the origin's own is strong
};

/// None where it is another part, where its length contradicts it, or where nothing says to which representation it belongs.
std::optional<Part> part_of(const FetchedHead& head, const ByteRange& slice, sys_seconds now) {
  const auto range = read_content_range(head.fields.single("Content-Range").value_or(""));
  if (!range || !answers(*range, slice) || head.length != range->range.size()) return std::nullopt;
  if (is_strong_tag(head.fields.single("ETag").value_or(""))) return Part{*range, {}};
  auto tag = made_tag(head.fields, range->complete, now);
  if (!tag) return std::nullopt;
  return Part{*range, std::move(*tag)};
}

ResponseHead stored(const FetchedHead& head, const Judgement& judgement, const std::optional<Part>& part, sys_seconds now) {
  ResponseHead response{head.status, {}, has_no_body(head.status) ? 0 : head.length};
  auto& fields = response.fields;
  const bool own_tag = part && !part->made_tag.empty();
  const auto fields_of_origin = end_to_end(head.fields);
  for (const auto& field : fields_of_origin.all()) {
    if (!is_passed_on(field.name) || is_one_of(said_anew, field.name)) continue;
    if (own_tag && equal_without_case(field.name, "ETag")) continue;
    fields.push_back(field);
  }
  if (own_tag) fields.push_back({"ETag", part->made_tag});
  if (part) fields.push_back({"Content-Range", std::string(*head.fields.single("Content-Range"))});

  std::string stale;
  if (judgement.stale_while_revalidate.count() > 0)
    stale = fmt::format("stale-while-revalidate={}", judgement.stale_while_revalidate.count());
  if (judgement.stale_if_error.count() > 0)
    stale += fmt::format("{}stale-if-error={}", stale.empty() ? "" : ", ", judgement.stale_if_error.count());
  // In this order: the engine reads no Cache-Control once it knows for how long.
  if (!stale.empty()) fields.push_back({"Cache-Control", stale});
  // What is not fresh ends a second ago, not in 1970: the engine counts the time for which it may be stale from then on.
  const auto ended = (now - seconds{1}).time_since_epoch();
  fields.push_back({"X-Accel-Expires",
                    judgement.fresh.count() > 0 ? fmt::format("{}", judgement.fresh.count()) : fmt::format("@{}", ended.count())});
  if (const auto control = head.fields.joined("Cache-Control")) fields.push_back({"X-Origin-Cache-Control", *control});
  if (const auto expires = head.fields.joined("Expires")) fields.push_back({"X-Origin-Expires", *expires});
  fields.push_back({"X-Origin-Born", fmt::format("{}", (now - judgement.age).time_since_epoch().count())});
  return response;
}

}  // namespace

Decision decide(const EngineRequest& request, bool whole, const FetchedHead& head, const UrlRules& rules, sys_seconds asked,
                sys_seconds now) {
  const bool ranged = request.slice && !whole;
  if (head.status == 206 && !ranged) return {Move::hang_up};
  if (head.status == 304 && !request.is_conditional()) return {Move::hang_up};
  // The engine hands out what it has when the origin cannot be had, and a status alone does not tell it that.
  if (is_trouble(head.status) && (request.has_stored || request.is_conditional())) return {Move::hang_up};
  // An empty representation has no first octet; whoever asks for all of it is not to hear of that.
  if (head.status == 416 && ranged && request.slice->first == 0) return {Move::ask_whole};

  const bool is_part = head.status == 206;
  const auto part = is_part ? part_of(head, *request.slice, now) : std::nullopt;
  const auto complete = part ? std::optional(part->range.complete) : head.length;
  const bool reliable = head.well_formed && (head.delimited || has_no_body(head.status));
  const auto judgement = judge({request.has_credentials(), head.status, head.fields, complete, reliable, asked, now}, rules);
  // A part without a validator is asked for anew, whatever else speaks against it: it is no response to who wants all.
  if (is_part && !part && judgement.refusal.value_or(Refusal::pointless) == Refusal::pointless) return {Move::ask_whole};
  if (judgement.refusal) return {Move::refuse, *judgement.refusal};
  return {Move::store, {}, stored(head, judgement, part, now)};
}

ResponseHead refusal_response(Refusal refusal, const std::string& parked) {
  ResponseHead response{not_stored_status, {{"X-Accel-Expires", refusal == Refusal::credentials ? "0" : "60"}}, 0};
  if (!parked.empty()) response.fields.push_back({"X-Schultor-Parked", parked});
  return response;
}

ResponseHead passed_on(const FetchedHead& head) {
  ResponseHead response{head.status, {}, has_no_body(head.status) ? 0 : head.length};
  const auto fields = end_to_end(head.fields);
  for (const auto& field : fields.all())
    if (is_passed_on(field.name)) response.fields.push_back(field);
  return response;
}

std::optional<ResponseHead> from_parked(const EngineRequest& request, const FetchedHead& head,
                                        const std::optional<ByteRange>& slice) {
  if (request.method != "GET") return std::nullopt;
  const auto asked = request.fields.single("Range");
  auto response = passed_on(head);
  if (head.status == 416) return asked ? std::optional(response) : std::nullopt;
  if (head.status != 206) return response;
  if (asked && slice && read_slice(*asked) == slice) return response;
  const auto range = read_content_range(head.fields.single("Content-Range").value_or(""));
  if (asked || !range || !range->is_whole() || head.length != range->complete) return std::nullopt;
  std::erase_if(response.fields, [](const auto& field) { return equal_without_case(field.name, "Content-Range"); });
  response.status = 200;
  return response;
}

}  // namespace schultor::cache
