// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/config/config.hpp"

#include <string_view>

namespace schultor::config {

/// Reads "Mon,Wed..Fri 07:45-12:30". Without days every day is meant; a range may run over the week's end ("Sat..Mon");
/// "24:00" ends a day; an end before the start runs past midnight; start = end is an error.
[[nodiscard]] base::Result<Window> parse_window(std::string_view text, Source source);

}  // namespace schultor::config
