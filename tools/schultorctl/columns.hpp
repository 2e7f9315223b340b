// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <vector>

namespace schultor::ctl {

using Rows = std::vector<std::vector<std::string>>;

/// Rows of cells as aligned columns, two spaces between them and none at a line's end. Widths count code points.
[[nodiscard]] std::string align(const Rows& rows);

}  // namespace schultor::ctl
