// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/devices_text.hpp"

#include "tools/schultorctl/columns.hpp"

#include <fmt/format.h>

#include <vector>

namespace schultor::ctl {
namespace {

using json = nlohmann::ordered_json;

std::string joined(const json& texts) {
  return texts.empty() ? "-" : fmt::format("{}", fmt::join(texts.get<std::vector<std::string>>(), " "));
}

}  // namespace

base::Result<std::string> devices_text(const json& document) {
  try {
    Rows rows{{"DEVICE", "GROUP", "BY", "ONLINE", "INTERFACE", "ADDRESSES"}};
    std::size_t online = 0;
    for (const auto& device : document.at("devices")) {
      const bool is_online = device.at("online").get<bool>();
      online += is_online ? 1 : 0;
      rows.push_back({device.at("mac").get<std::string>(), device.at("group").get<std::string>(),
                      device.at("by").get<std::string>(), is_online ? "yes" : "no", joined(device.at("interfaces")),
                      joined(device.at("addresses"))});
    }
    return fmt::format("{}\n{} devices, {} online\n", align(rows), rows.size() - 1, online);
  } catch (const json::exception& error) {
    return base::fail("schultord's answer is not understood ({}): restart it after an update", error.what());
  }
}

}  // namespace schultor::ctl
