// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace schultor::ctl {

/// The whole file; none where there is no such file. An error where it has more than `most` octets.
[[nodiscard]] base::Result<std::optional<std::string>> read_whole(const std::string& path, std::size_t most);

/// Replaces a file that holds `before` (none: that is not there) by `after`: whoever reads it has the one or the other, also after
/// a power cut. Mode and owner stay, a link stays one. An error, and nothing is changed, where the file no longer holds `before` or
/// its owner cannot be kept.
[[nodiscard]] base::Result<void> replace_whole(const std::string& path, const std::optional<std::string>& before,
                                               std::string_view after);

}  // namespace schultor::ctl
