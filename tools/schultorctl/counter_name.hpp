// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string_view>

namespace schultor::ctl {

/// What a counter of the ruleset counts, by its name: "refused_school" is what profile school refused, "admitted.cloud" and
/// "refused.flood" belong to no profile. No profile is spelt with a dot.
struct CounterName {
  std::string_view verdict;
  std::string_view profile;
  std::string_view cause;
};

[[nodiscard]] inline CounterName counter_name(std::string_view name) {
  const auto split = name.find_first_of("_.");
  if (split == std::string_view::npos) return {name, {}, {}};
  const auto rest = name.substr(split + 1);
  return name[split] == '_' ? CounterName{name.substr(0, split), rest, {}} : CounterName{name.substr(0, split), {}, rest};
}

}  // namespace schultor::ctl
