// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/kept_overrides.hpp"

#include "daemon/enforce/state_file.hpp"

#include <cstdio>

namespace schultor::enforce {

namespace {

base::Result<policy::KeptOverrides> read_overrides(const std::string& path) {
  const auto text = read_state(path);
  if (!text) return base::pass(base::Result<std::optional<std::string>>(text));
  return *text ? policy::overrides_from_json(**text) : policy::KeptOverrides{};
}

}  // namespace

base::Result<policy::KeptOverrides> load_overrides(const std::string& path) {
  auto kept = read_overrides(path);
  if (kept) return kept;
  const auto aside = path + ".damaged";
  const bool moved = std::rename(path.c_str(), aside.c_str()) == 0;
  return base::pass(std::move(kept), fmt::format("{} is damaged and {}; the schedules hold, set anew what else is to hold", path,
                                                 moved ? "was moved to " + aside : "cannot be moved aside"));
}

base::Result<void> save_overrides(const std::string& path, const policy::KeptOverrides& kept) {
  return replace_state(path, policy::to_json(kept));
}

}  // namespace schultor::enforce
