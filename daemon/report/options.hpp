// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/report/reporter.hpp"

#include <filesystem>

namespace schultor::report {

/// From [operations] of gateway.toml in `configuration`; the outbox lies in `state`. Certificates named by a relative path
/// lie in $CREDENTIALS_DIRECTORY (systemd.exec(5)). Logs each thing that is wrong with the file.
[[nodiscard]] base::Result<Reporter::Options> read_options(const std::filesystem::path& configuration,
                                                           const std::filesystem::path& state);

}  // namespace schultor::report
