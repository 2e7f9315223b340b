// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/override_text.hpp"

#include "tools/schultorctl/columns.hpp"

namespace schultor::ctl {
namespace {

using json = nlohmann::ordered_json;

tl::unexpected<base::Error> not_understood(const json::exception& error) {
  return base::fail("schultord's answer is not understood ({}): restart it after an update", error.what());
}

std::string group_of(const json& one) {
  const auto& group = one.at("group");
  return group.is_null() ? "all groups" : group.get<std::string>();
}

}  // namespace

base::Result<std::string> override_text(const json& one) {
  try {
    const auto reason = one.at("reason").get<std::string>();
    return fmt::format("{}: {} until {}, set by {}{}\n", group_of(one), one.at("profile").get<std::string>(),
                       one.at("until").get<std::string>(), one.at("by").get<std::string>(),
                       reason.empty() ? "" : fmt::format(" ({})", reason));
  } catch (const json::exception& error) {
    return not_understood(error);
  }
}

base::Result<std::string> overrides_text(const json& overrides) {
  if (overrides.empty()) return "no override is set\n";
  try {
    Rows rows{{"GROUP", "PROFILE", "SINCE", "UNTIL", "BY", "REASON"}};
    for (const auto& one : overrides)
      rows.push_back({group_of(one), one.at("profile").get<std::string>(), one.at("from").get<std::string>(),
                      one.at("until").get<std::string>(), one.at("by").get<std::string>(), one.at("reason").get<std::string>()});
    return align(rows);
  } catch (const json::exception& error) {
    return not_understood(error);
  }
}

base::Result<std::string> cleared_text(const json& answer, const std::optional<std::string>& group) {
  try {
    const auto count = answer.at("cleared").get<std::uint64_t>();
    const auto whose = group ? " for " + *group : std::string{};
    if (count == 0) return fmt::format("no override is set{}: there was nothing to clear\n", whose);
    return fmt::format("{} override{} cleared{}\n", count, count == 1 ? "" : "s", whose);
  } catch (const json::exception& error) {
    return not_understood(error);
  }
}

}  // namespace schultor::ctl
