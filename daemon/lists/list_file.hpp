// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/lists/reader.hpp"

#include <cstddef>
#include <filesystem>

namespace schultor::lists {

/// A file of lists beyond this fails.
inline constexpr std::size_t largest_list_file = std::size_t{512} << 20U;

/// Reads a file of a list, in the format that its name or its contents say. Only a file that cannot be read at all is an error.
[[nodiscard]] base::Result<void> read_list_file(const std::filesystem::path& path, Sink& sink);

}  // namespace schultor::lists
