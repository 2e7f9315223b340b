// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "tools/city/command_line.hpp"

#include <string_view>

/// The commands. Each prints its answer to standard output and its errors to standard error.
namespace schultor::city {

/// An error, one line on standard error.
void complain(std::string_view text);

Exit create_device_authority(const Request& request);
Exit create_school_authority(const Request& request);
Exit show_authorities(const Request& request);

}  // namespace schultor::city
