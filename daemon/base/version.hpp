// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string_view>

namespace schultor::base {

/// The version of the project, from the top CMakeLists.txt.
inline constexpr std::string_view version = SCHULTOR_VERSION;

}  // namespace schultor::base
