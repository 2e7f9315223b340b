// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/base/unique_fd.hpp"

#include <cstddef>
#include <span>

/// Memory behind a descriptor that nobody can change or shorten any more (memfd_create(2)): one process hands it to another, which
/// may map it without fear of SIGBUS, and of what is read differing from what was verified.
namespace schultor::base {

/// `name` is for /proc alone.
[[nodiscard]] Result<UniqueFd> sealed_copy(const char* name, std::span<const std::byte> octets);
/// The same of a regular file's contents, at most `most` octets. Whoever may write to the file cannot disturb this.
[[nodiscard]] Result<UniqueFd> sealed_copy_of_file(const char* name, int file, std::size_t most);
/// Refuses whatever may still be written to or shortened.
[[nodiscard]] Result<void> expect_sealed(int fd);

}  // namespace schultor::base
