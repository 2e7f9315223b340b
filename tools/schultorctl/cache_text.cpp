// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/cache_text.hpp"

#include "tools/schultorctl/columns.hpp"

#include <array>
#include <utility>

namespace schultor::ctl {
namespace {

using json = nlohmann::ordered_json;

/// What a day's row adds up.
constexpr std::array<const char*, 6> counts{"requests", "hits", "served", "fetches", "fetched", "saved"};
using Sums = std::array<std::uint64_t, counts.size()>;

Sums sums_of(const json& day) {
  Sums sums{};
  for (std::size_t i = 0; i < counts.size(); ++i) sums[i] = day.at(counts[i]).get<std::uint64_t>();
  return sums;
}

std::vector<std::string> row(const std::string& origin, const std::string& day, const Sums& sums) {
  const auto [requests, hits, served, fetches, fetched, saved] = sums;
  const auto share =
      requests == 0 ? "-" : fmt::format("{:.0f} %", 100.0 * static_cast<double>(hits) / static_cast<double>(requests));
  return {origin,
          day,
          std::to_string(requests),
          share,
          octets_text(served),
          std::to_string(fetches),
          octets_text(fetched),
          octets_text(saved)};
}

Rows rows_of(const json& statistics) {
  Rows rows{{"ORIGIN", "DAY", "REQUESTS", "HITS", "SERVED", "FETCHES", "FETCHED", "SAVED"}};
  for (const auto& origin : statistics.at("origins")) {
    const auto name = origin.at("origin").get<std::string>();
    Sums all{};
    for (const auto& day : origin.at("days")) {
      const auto sums = sums_of(day);
      for (std::size_t i = 0; i < sums.size(); ++i) all[i] += sums[i];
      rows.push_back(row(name, day.at("day").get<std::string>(), sums));
    }
    if (origin.at("days").size() > 1) rows.push_back(row(name, "all", all));
  }
  return rows;
}

template <typename Read>
base::Result<std::string> read(const Read& read_document) {
  try {
    return read_document();
  } catch (const json::exception&) {
    return base::fail("schultor-origin answered in a way that this version does not know: restart it after an update");
  }
}

}  // namespace

base::Result<std::string> cache_statistics_text(const json& statistics) {
  return read([&]() -> std::string {
    const auto rows = rows_of(statistics);
    return rows.size() == 1 ? "nothing was counted yet\n" : align(rows);
  });
}

base::Result<std::string> purge_text(const json& answer) {
  return read([&] {
    return fmt::format("{} parts withdrawn, {}\n", answer.at("withdrawn").get<std::uint64_t>(),
                       octets_text(answer.at("octets").get<std::uint64_t>()));
  });
}

std::string octets_text(std::uint64_t octets) {
  constexpr std::array<const char*, 4> units{"kB", "MB", "GB", "TB"};
  if (octets < 1000) return fmt::format("{} B", octets);
  double value = static_cast<double>(octets) / 1000;
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", value, value < 9.95 ? 1 : 0, units[unit]);
}

}  // namespace schultor::ctl
