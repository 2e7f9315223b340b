// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/cache/figures_json.hpp"

#include <nlohmann/json.hpp>

#include <map>

namespace schultor::cache {

std::string figures_json(const std::vector<FiguresFile::Row>& rows) {
  using json = nlohmann::ordered_json;
  std::map<std::string, json> by_origin;
  for (const auto& [day, origin, figures] : rows)
    by_origin.try_emplace(origin, json::array())
        .first->second.push_back({{"day", date::format("%F", day)},
                                  {"requests", figures.requests},
                                  {"hits", figures.hits},
                                  {"served", figures.served},
                                  {"fetches", figures.fetches},
                                  {"fetched", figures.fetched},
                                  {"saved", figures.saved()}});
  json origins = json::array();
  for (auto& [origin, days] : by_origin) origins.push_back({{"origin", origin}, {"days", std::move(days)}});
  return json{{"origins", std::move(origins)}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace schultor::cache
