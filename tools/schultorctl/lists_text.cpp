// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/lists_text.hpp"

#include "tools/schultorctl/columns.hpp"

#include <cstdint>

namespace schultor::ctl {

std::string downloads_text(const nlohmann::ordered_json& lists) {
  Rows rows{{"LIST", "STATE", "ENTRIES", "UPDATED", "FROM", "WHY"}};
  for (const auto& one : lists) {
    const auto& updated = one.at("updated");
    rows.push_back({one.at("list").get<std::string>(), one.at("state").get<std::string>(),
                    std::to_string(one.at("entries").get<std::uint64_t>()),
                    updated.is_null() ? "never" : updated.get<std::string>(), one.at("from").get<std::string>(),
                    one.at("reason").get<std::string>()});
  }
  return align(rows);
}

}  // namespace schultor::ctl
