// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

/// Block lists of any length, made up.
namespace schultor::bench {

inline constexpr std::size_t lists_in_table = 20;

/// The n-th of the names: of two to four labels, each number another one.
[[nodiscard]] std::string listed_name(std::size_t number);

/// "list00" and up.
[[nodiscard]] std::string list_name(std::size_t list);
/// Writes the first `names` names as lists of equal length, to be read by lists::gather().
void write_lists(const std::filesystem::path& folder, std::size_t names);

/// Writes them into one file, a line each.
void write_names(const std::string& file, std::size_t names);

/// Compiles such lists to a table, in a process of its own; what that took.
struct Compiling {
  double seconds = 0;
  double peak_mb = 0;  ///< of memory
};
Compiling compile_lists(const std::filesystem::path& folder, const std::string& table);

}  // namespace schultor::bench
