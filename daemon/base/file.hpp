// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/base/unique_fd.hpp"

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// Files in a folder that belongs to another user, perhaps, than the one who runs this: no link in it is followed.
namespace schultor::base {

/// None where there is no such file; beyond `largest` octets an error.
[[nodiscard]] Result<std::optional<std::string>> read_file(const std::string& path, std::size_t largest);
/// A new, empty file, open for reading and writing; what was there before goes. At no moment may others do
/// more with it than `mode` says; in the end as much, whatever the umask is.
[[nodiscard]] Result<UniqueFd> create_file(const std::string& path, mode_t mode = 0644);
/// On disk when it returns, under the name `path` after a rename: whoever opens that finds the old contents or the new ones.
/// `aside` is the name that it bears meanwhile, in the same folder.
[[nodiscard]] Result<void> replace_file(const std::string& path, const std::string& aside, std::string_view text,
                                        mode_t mode = 0644);
/// No error where there is none.
[[nodiscard]] Result<void> remove_file(const std::string& path);

}  // namespace schultor::base
