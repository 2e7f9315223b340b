// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/config/config.hpp"
#include "daemon/policy/categories.hpp"
#include "daemon/policy/name_patterns.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace schultor::policy {

/// The patterns of one list. Faults and repetitions go to `out`.
[[nodiscard]] std::vector<Pattern> compile_patterns(const std::vector<config::Text>& list, config::Diagnostics& out);
[[nodiscard]] NamePatterns compile_names(const std::vector<config::Text>& list, config::Diagnostics& out);

/// The lists that a rule names, without numbers yet. Of those that `known` has not, and of repetitions, `out` is told.
[[nodiscard]] std::vector<Category> compile_categories(const std::vector<config::Text>& list,
                                                       const std::optional<std::vector<config::NamedList>>& known,
                                                       config::Diagnostics& out);

/// Whether it holds a whole top-level domain: "de", "*.de". `pattern`: in lower case.
[[nodiscard]] bool holds_top_level(std::string_view pattern);

/// Whether anyone may host or register what lies below `name`, or below a part of it where that is a pattern.
[[nodiscard]] bool is_anyones_to_host(std::string_view name);

/// Refuses cloud names that are a whole top-level domain, and warns of those under which anyone may host: what is open always
/// would be open to anyone's content.
void check_cloud_names(const std::vector<config::Text>& cloud, config::Diagnostics& out);
/// The same for the names of one endpoint list, in lower case, which nobody here writes: one warning for all of them.
void check_listed_cloud_names(const std::vector<config::Text>& names, config::Diagnostics& out);

}  // namespace schultor::policy
