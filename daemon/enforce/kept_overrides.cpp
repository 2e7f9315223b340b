// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/kept_overrides.hpp"

#include "daemon/enforce/state_file.hpp"

#include <cstdio>

namespace schultor::enforce {

base::Result<policy::KeptOverrides> load_overrides(const std::string& path) {
  const auto text = read_state(path);
  if (!text) return base::pass(base::Result<std::optional<std::string>>(text));
  if (!*text) return policy::KeptOverrides{};
  auto kept = policy::overrides_from_json(**text);
  if (kept) return kept;
  const auto aside = path + ".damaged";
  static_cast<void>(std::rename(path.c_str(), aside.c_str()));
  return base::pass(std::move(kept), fmt::format("{} is damaged and was moved to {}; set anew what is to hold", path, aside));
}

base::Result<void> save_overrides(const std::string& path, const policy::KeptOverrides& kept) {
  return replace_state(path, policy::to_json(kept));
}

}  // namespace schultor::enforce
