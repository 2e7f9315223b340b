// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/config/file_readers.hpp"
#include "daemon/config/window.hpp"

#include <fmt/format.h>

#include <utility>

namespace schultor::config {
namespace {

constexpr std::uint64_t usual_largest = 4ULL << 30U;
constexpr std::chrono::hours usual_longest{30 * 24};

std::optional<std::chrono::seconds> read_age(TableReader& table, std::string_view key) {
  const auto text = table.text(key);
  if (!text) return std::nullopt;
  const auto age = parse_age(text->value);
  if (!age)
    table.out().error(text->source, fmt::format("{}: {} “{}” is no span of time: expected one such as 30d, 12h or 10m, and at most "
                                                "366 days",
                                                table.what(), key, text->value));
  return age;
}

OriginPath read_path(TableReader table) {
  OriginPath rule;
  if (auto path = table.text("path")) rule.path = std::move(*path);
  else table.missing("path", "what the paths begin with that are meant, such as \"/packages/\"");
  rule.cache = table.flag("cache").value_or(Located<bool>{true, {}}).value;
  rule.fresh = read_age(table, "fresh");
  if (!rule.cache && rule.fresh)
    table.out().error(table.where(),
                      fmt::format("{}: fresh is said of what is never kept: remove it, or cache = false", table.what()));
  table.finish();
  return rule;
}

Origin read_origin(TableReader table) {
  Origin origin;
  origin.source = table.where();
  origin.name = table.text("name");
  origin.names = table.texts("names");
  if (origin.name) table.rename(fmt::format("origin “{}”", origin.name->value));
  else if (!origin.names.empty()) table.rename(fmt::format("origin “{}”", origin.names.front().value));
  if (origin.names.empty()) table.missing("names", "the site's names, each of them, such as [\"inhalte.example\"]");
  origin.http = table.flag("http").value_or(Located<bool>{}).value;
  origin.https = table.flag("https").value_or(Located<bool>{}).value;
  if (!origin.http && !origin.https) table.missing("https", "https = true, http = true, or both");
  if (const auto scope = table.text("scope")) {
    origin.for_all = scope->value == "all";
    if (!origin.for_all && scope->value != "school")
      table.out().error(scope->source, fmt::format("{}: scope “{}” is not known{}", table.what(), scope->value,
                                                   suggestion(scope->value, {"school", "all"})));
  }
  origin.largest = usual_largest;
  if (const auto largest = table.text("largest")) {
    const auto octets = parse_size(largest->value);
    if (!octets)
      table.out().error(largest->source,
                        fmt::format("{}: largest “{}” is no size: expected one such as \"4 GiB\"", table.what(), largest->value));
    origin.largest = octets.value_or(usual_largest);
  }
  origin.longest = read_age(table, "longest").value_or(usual_longest);
  for (auto& path : table.tables("path")) origin.paths.push_back(read_path(std::move(path)));
  table.finish();
  return origin;
}

}  // namespace

std::vector<Origin> read_origins(TableReader& file) {
  std::vector<Origin> origins;
  for (auto& table : file.tables("origin")) origins.push_back(read_origin(std::move(table)));
  return origins;
}

}  // namespace schultor::config
