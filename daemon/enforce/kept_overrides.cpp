// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/kept_overrides.hpp"

#include "daemon/enforce/state_file.hpp"

namespace schultor::enforce {

namespace {

base::Result<std::optional<policy::KeptOverrides>> read_overrides(const std::string& path) {
  auto text = read_state(path);
  if (!text) return base::pass(std::move(text));
  if (!*text) return std::optional<policy::KeptOverrides>{};
  auto kept = policy::overrides_from_json(**text);
  if (!kept) return base::pass(std::move(kept));
  return std::optional(std::move(*kept));
}

}  // namespace

base::Result<std::optional<policy::KeptOverrides>> load_overrides(const std::string& path) {
  auto kept = read_overrides(path);
  if (kept) return kept;
  const auto fate = move_aside(path);
  return base::pass(std::move(kept),
                    fmt::format("{} is damaged and {}; the schedules hold, set anew what else is to hold", path, fate));
}

base::Result<void> save_overrides(const std::string& path, const policy::KeptOverrides& kept) {
  const auto text = policy::to_json(kept);
  // What the next start would call damaged is not written.
  if (auto back = policy::overrides_from_json(text); !back)
    return base::pass(std::move(back), "what is to be kept could not be read again");
  return replace_state(path, text);
}

}  // namespace schultor::enforce
