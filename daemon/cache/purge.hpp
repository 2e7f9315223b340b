// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/cache/stored_file.hpp"
#include "daemon/policy/cache_rules.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace schultor::cache {

/// What of all that is stored is meant by `what`: an address with its slices and variants ("https://filme.test/a.mp4?x=1", of which
/// a fragment is passed over), an origin by its name, or everything where it is empty. An error says what was expected. Pure.
[[nodiscard]] base::Result<std::function<bool(const StoredHead&)>> condemned(std::string_view what,
                                                                             const policy::CacheRules& rules);

}  // namespace schultor::cache
