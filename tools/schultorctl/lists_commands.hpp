// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "tools/schultorctl/answer.hpp"

#include <optional>

/// The parts of `lists`, for tools/schultorctl/lists*.cpp.
namespace schultor::ctl {

/// Lists that are downloaded, as JSON; none where nothing was ever downloaded.
[[nodiscard]] base::Result<std::optional<json>> downloads(const Request& request);

Exit lists_status(const Request& request);
Exit lists_update(const Request& request);

}  // namespace schultor::ctl
