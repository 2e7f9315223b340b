// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/entity_tag.hpp"

#include "daemon/cache/http_date.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace schultor::cache {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr std::string_view mark = "\"schultor-";
constexpr std::size_t longest_weak_tag = 500;

bool is_opaque_tag(std::string_view tag) {
  return tag.size() >= 2 && tag.front() == '"' && tag.back() == '"' && tag.find('"', 1) == tag.size() - 1 &&
         std::none_of(tag.begin(), tag.end(), [](char c) { return c == ' ' || c == '\t'; });
}

bool is_weak_tag(std::string_view tag) { return tag.starts_with("W/") && is_opaque_tag(tag.substr(2)); }

/// What a made tag was made of.
struct Made {
  sys_seconds last_modified;
  std::string weak;  ///< the origin's tag; empty: it gave none
};

std::optional<Made> read_made_tag(std::string_view tag) {
  if (!tag.starts_with(mark) || !is_opaque_tag(tag)) return std::nullopt;
  const auto rest = tag.substr(mark.size(), tag.size() - mark.size() - 1);
  std::int64_t instant = 0;
  const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), instant, 16);
  const auto length = rest.find('-', 1);
  if (read.ec != std::errc{} || length == std::string_view::npos || read.ptr != rest.data() + length) return std::nullopt;
  // Within the years that a date of HTTP can tell.
  constexpr std::int64_t last = 253'402'300'799;
  if (instant < 0 || instant > last) return std::nullopt;
  const auto weak = rest.find('-', length + 1);
  return Made{sys_seconds{seconds{instant}},
              weak == std::string_view::npos ? std::string{} : fmt::format("W/\"{}\"", rest.substr(weak + 1))};
}

}  // namespace

bool is_strong_tag(std::string_view tag) { return is_opaque_tag(tag); }

std::optional<std::string> made_tag(const HeaderFields& response, std::uint64_t complete, sys_seconds now) {
  const auto modified = read_http_date(response.single("Last-Modified").value_or(""), now);
  const auto date = read_http_date(response.single("Date").value_or(""), now);
  if (!modified || !date || *date <= *modified || modified->time_since_epoch().count() < 0) return std::nullopt;
  auto made = fmt::format("{}{:x}-{:x}", mark, modified->time_since_epoch().count(), complete);
  const auto weak = response.single("ETag").value_or("");
  if (is_weak_tag(weak) && weak.size() <= longest_weak_tag) {
    const auto opaque = weak.substr(3, weak.size() - 4);
    made += fmt::format("-{}", opaque);
  }
  return made + '"';
}

void restore_conditions(HeaderFields& request) {
  const auto tags = request.joined("If-None-Match");
  if (!tags) return;
  std::string kept;
  std::optional<sys_seconds> last_modified;
  bool changed = false;
  for (const auto tag : list_members(*tags)) {
    const auto made = read_made_tag(tag.starts_with("W/") ? tag.substr(2) : tag);
    if (made) last_modified = made->last_modified;
    changed = changed || made.has_value();
    const auto known = made ? std::string_view(made->weak) : tag;
    if (!known.empty()) kept += fmt::format("{}{}", kept.empty() ? "" : ", ", known);
  }
  if (!changed) return;
  request.remove("If-None-Match");
  if (!kept.empty()) static_cast<void>(request.add("If-None-Match", kept));
  if (kept.empty() && !request.has("If-Modified-Since"))
    static_cast<void>(request.add("If-Modified-Since", to_http_date(*last_modified)));
}

}  // namespace schultor::cache
