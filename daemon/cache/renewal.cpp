// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/renewal.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace schultor::cache {
namespace {

/// What describes the body, which stays as it is.
constexpr std::array<std::string_view, 6> of_the_body = {"Content-Length", "Content-Encoding",  "Content-Type",
                                                         "Content-Range",  "Transfer-Encoding", "ETag"};
/// What differs in each response, and says nothing of the representation.
constexpr std::array<std::string_view, 5> of_the_moment = {"Date", "Expires", "Age", "Via", "Server"};
/// What the hop has added for the engine, and under which names it keeps the origin's.
constexpr std::array<std::string_view, 4> of_the_engine = {"Cache-Control", "Expires", "X-Accel-Expires", "X-Origin-Born"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kept_as = {
    {{"X-Origin-Cache-Control", "Cache-Control"}, {"X-Origin-Expires", "Expires"}}};

template <typename Names>
bool is_one_of(const Names& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view other) { return equal_without_case(name, other); });
}

HeaderFields as_the_origin_said(const HeaderFields& stored) {
  HeaderFields said;
  for (const auto& field : stored.all()) {
    const auto kept =
        std::find_if(kept_as.begin(), kept_as.end(), [&](const auto& one) { return equal_without_case(field.name, one.first); });
    if (kept != kept_as.end()) said.add(kept->second, field.value);
    else if (!is_one_of(of_the_engine, field.name) && !equal_without_case(field.name, "Content-Length"))
      said.add(field.name, field.value);
  }
  return said;
}

}  // namespace

std::optional<FetchedHead> renewed(int status, const HeaderFields& stored, std::uint64_t length, const FetchedHead& not_modified) {
  if (length > longest_renewed || !not_modified.well_formed || not_modified.fields.has("Set-Cookie")) return std::nullopt;
  FetchedHead head{status, as_the_origin_said(stored), length, true, true};
  const auto said = end_to_end(not_modified.fields);
  bool differs = false;
  for (const auto& field : said.all()) {
    if (is_one_of(of_the_body, field.name)) continue;
    differs = differs || (!is_one_of(of_the_moment, field.name) && head.fields.joined(field.name) != said.joined(field.name));
  }
  if (!differs) return std::nullopt;
  for (const auto& field : said.all())
    if (!is_one_of(of_the_body, field.name)) head.fields.remove(field.name);
  for (const auto& field : said.all())
    if (!is_one_of(of_the_body, field.name) && !head.fields.add(field.name, field.value)) return std::nullopt;
  return head;
}

}  // namespace schultor::cache
