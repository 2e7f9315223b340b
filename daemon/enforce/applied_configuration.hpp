// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/config/load.hpp"
#include "daemon/policy/cache_rules.hpp"

#include <optional>
#include <string>

/// The files of the configuration that was applied last: what is started from where the configuration directory is refused.
namespace schultor::enforce {

/// Of all files together; beyond it they are not kept.
inline constexpr std::size_t largest_applied = std::size_t{64} << 20U;

/// Keeps `files` in `directory`, readable for nobody else: on disk when it returns, and exchanged as a whole, so that whoever reads
/// after a power cut finds the old configuration or the new one (renameat2(2), RENAME_EXCHANGE). Writes nothing where they lie
/// there already. Read them with config::read().
[[nodiscard]] base::Result<void> keep_applied(const std::string& directory, const config::Files& files);

/// Keeps the table of lists that the configuration was applied with, sealed memory, as the file `path`: on disk when it returns.
/// Writes nothing where it lies there already.
[[nodiscard]] base::Result<void> keep_applied_table(const std::string& path, int table);

/// Keeps the rules of the content cache as the file `path`, empty where nothing is cached: by them schultor-certificates knows the
/// hosts. Writes nothing where they lie there already.
[[nodiscard]] base::Result<void> keep_cache_rules(const std::string& path, const std::optional<policy::CacheRules>& rules);

}  // namespace schultor::enforce
